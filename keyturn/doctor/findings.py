"""Findings of the checks, and the exit code that they lead to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from keyturn_credentials.domain.diagnosis import Diagnosis, Severity


class Area(StrEnum):
    """A part of an installation that is checked as a whole. They are shown in this order."""

    SETTINGS = "settings"
    DATABASE = "database"
    AUDIT = "audit"
    REDIS = "redis"
    FLEET = "fleet"
    PARTITIONS = "partitions"
    KEY_SETS = "key-sets"
    EXPIRY = "expiry"
    SIGN_IN = "sign-in"
    GATEWAY = "gateway"


class ExitCode(IntEnum):
    """NOT_RUN: nothing could be checked, since no installation was named or an option is wrong."""

    HEALTHY = 0
    PROBLEM = 1
    NOT_RUN = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. ``found``: a sentence with names and figures, without secrets."""

    diagnosis: Diagnosis
    found: str

    @property
    def code(self) -> str:
        return self.diagnosis.code

    @property
    def is_problem(self) -> bool:
        return self.diagnosis.severity is Severity.PROBLEM


@dataclass(slots=True)
class AreaReport:
    """Outcome of one area. ``summary``: what was looked at, in a few words. ``skipped``: why it was not
    checked, if it was not."""

    area: Area
    findings: list[Finding] = field(default_factory=list)
    summary: str = ""
    skipped: str = ""

    def add(self, diagnosis: Diagnosis, found: str) -> None:
        self.findings.append(Finding(diagnosis, found))

    def extend(self, findings: Iterable[Finding]) -> None:
        self.findings.extend(findings)

    @property
    def problems(self) -> int:
        return sum(finding.is_problem for finding in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.problems


def exit_code(reports: Iterable[AreaReport], *, strict: bool) -> ExitCode:
    """Return the exit code. ``strict``: warnings count as problems."""
    found = [finding for report in reports for finding in report.findings]
    fails = any(finding.is_problem or strict for finding in found)
    return ExitCode.PROBLEM if fails else ExitCode.HEALTHY
