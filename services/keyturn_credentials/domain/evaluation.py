"""Result of evaluating what verifiers would decide, step by step. Pure.

The decision itself is that of ``keyturn_shared.oauth``, which stops at the first refusal. Its outcome tells
the result of each check, because a sequence has the checks in the order in which they are made.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from keyturn_credentials.domain.evaluation_texts import TEXTS
from keyturn_shared.errors import KeyturnError


class Result(StrEnum):
    """Result of a check. SKIPPED: it was not reached, or does not apply."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``codes``: refusals that mean that it failed. ``claims``: those of which it fails if one is
    missing. ``passed``: text for a passed check, unless there is more to say."""

    name: str
    codes: frozenset[str]
    passed: str
    claims: frozenset[str] = frozenset()

    def explains(self, error: KeyturnError) -> bool:
        """Return whether the error means that this check failed."""
        if error.code == "missing_claim":
            return error.detail in self.claims
        return error.code in self.codes


@dataclass(frozen=True, slots=True)
class Step:
    """Outcome of a check. ``advice``: what to do; ``code``: the refusal code. Both only if it failed."""

    check: str
    result: Result
    detail: str
    advice: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class TokenPreview:
    """A token without its signature, which nobody can use."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All steps in order; ``token``: what would be issued, or what an accepted token says."""

    steps: Sequence[Step]
    token: TokenPreview | None = None

    @property
    def accepted(self) -> bool:
        """True if no check failed."""
        return all(step.result is not Result.FAILED for step in self.steps)


class Steps:
    """Steps as they are added. ``untold``: details of errors that say nothing new, as the client's id."""

    def __init__(self, untold: Collection[str]) -> None:
        self._untold = frozenset(untold)
        self.steps: list[Step] = []

    def passed(self, checks: Sequence[Check], notes: Mapping[str, str]) -> None:
        """Add checks that all passed. ``notes``: texts by the names of checks; see ``skipped``."""
        self.steps += [
            Step(check.name, Result.PASSED, notes.get(check.name, check.passed)) for check in checks
        ]

    def skip(self, name: str, detail: str) -> None:
        """Add a check that was not made."""
        self.steps.append(Step(name, Result.SKIPPED, detail))

    def not_reached(self, checks: Sequence[Check]) -> None:
        """Add checks that come after one that failed."""
        for check in checks:
            self.skip(check.name, NOT_REACHED)

    def refused(
        self,
        checks: Sequence[Check],
        error: KeyturnError,
        notes: Mapping[str, str],
        expected: Mapping[str, str],
    ) -> None:
        """Add checks of which one failed with this error: those before it passed. ``expected``: what would
        have passed, by the names of checks."""
        failed = next((at for at, check in enumerate(checks) if check.explains(error)), len(checks) - 1)
        self.passed(checks[:failed], notes)
        check = checks[failed]
        meaning, advice = TEXTS.get(error.code, _OTHER)
        told = "" if error.detail in {error.code, *self._untold} else error.detail
        parts = [meaning, told and f"Reported: {told}.", expected.get(check.name, "")]
        detail = " ".join(filter(None, parts))
        self.steps.append(Step(check.name, Result.FAILED, detail, advice, error.code))
        self.not_reached(checks[failed + 1 :])


NOT_REACHED: Final = "Not checked, because an earlier check failed."
_OTHER: Final = ("No decision is possible now.", "Try again; see the log of the service if it stays so.")


def describe(evaluation: Evaluation) -> dict[str, Any]:
    """Return the response of the admin API."""
    token = evaluation.token
    return {
        "accepted": evaluation.accepted,
        "steps": [
            {
                "check": step.check,
                "result": step.result.value,
                "detail": step.detail,
                "advice": step.advice,
                "code": step.code,
            }
            for step in evaluation.steps
        ],
        "token": None if token is None else {"header": dict(token.header), "claims": dict(token.claims)},
    }
