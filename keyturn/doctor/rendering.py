"""Reports as text and as JSON. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from keyturn.doctor.findings import AreaReport, ExitCode, Finding
from keyturn.terminal_text import counted, printable
from keyturn_credentials.domain.diagnosis import Severity

Hide = Callable[[str], str]
"""Returns a text without secrets."""


def as_lines(reports: Iterable[AreaReport], hide: Hide) -> Iterator[str]:
    """Yield one line for each area, and after it a paragraph for each of its findings, problems first."""
    for report in reports:
        yield f"{report.area.value:<10} {_state(report):<22} {printable(hide(report.summary))}".rstrip()
        for finding in sorted(report.findings, key=lambda each: not each.is_problem):
            yield from _paragraph(finding, hide)


def as_json(reports: Iterable[AreaReport], code: ExitCode, hide: Hide) -> dict[str, Any]:
    """Return the reports as an object."""
    return {
        "exit_code": int(code),
        "areas": [
            {
                "area": report.area.value,
                "summary": hide(report.summary),
                "skipped": hide(report.skipped) or None,
                "findings": [
                    {
                        "code": finding.code,
                        "severity": finding.diagnosis.severity.value,
                        "found": hide(finding.found),
                        "means": finding.diagnosis.means,
                        "do": finding.diagnosis.advice,
                    }
                    for finding in report.findings
                ],
            }
            for report in reports
        ],
    }


def _state(report: AreaReport) -> str:
    if report.findings:
        counts = ((report.problems, Severity.PROBLEM), (report.warnings, Severity.WARNING))
        return ", ".join(counted(count, kind.value) for count, kind in counts if count)
    return f"not checked: {report.skipped}" if report.skipped else "ok"


def _paragraph(finding: Finding, hide: Hide) -> Iterator[str]:
    yield f"  {finding.diagnosis.severity.value.upper()} {finding.code}"
    yield f"    found: {printable(hide(finding.found))}"
    yield f"    means: {finding.diagnosis.means}"
    yield f"    do:    {finding.diagnosis.advice}"
