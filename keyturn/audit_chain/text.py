"""Results of ``keyturn audit verify`` for people and programs. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from keyturn.terminal_text import counted, printable
from keyturn_credentials.domain.audit_chain.checking import Finding, Report
from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.statements import Reason

_SINCE = {
    Reason.BEGUN: "from the first one on",
    Reason.EXPIRED: "after those whose retention ended",
    Reason.FORMER: "after those that an earlier release deleted",
    Reason.ACCEPTED: "as they were accepted",
}


def as_document(report: Report, line: str | None) -> dict[str, Any]:
    """Return the result as JSON members."""
    base, head = report.base, report.head
    return {
        "good": report.is_good,
        "entries": report.chained,
        "unchained": report.unchained,
        "oldest_unchained": report.oldest_unchained,
        "first_number": None if base is None else base.number + 1,
        "last_number": None if head is None else head.number,
        "begins": None if base is None else base.reason.value,
        "began_at": None if base is None else base.began_at,
        "signed_at": None if head is None else head.at,
        "checkpoints": report.checkpoints,
        "standings": {standing.name.lower(): count for standing, count in sorted(report.standings.items())},
        "restored": report.restored,
        "kept_number": None if report.kept is None else report.kept.number,
        "problems": {problem.value: count for problem, count in sorted(report.problems.items())},
        "findings": [_members(finding) for finding in report.findings],
        "head": line,
    }


def _members(finding: Finding) -> dict[str, Any]:
    return {"problem": finding.problem.value, "entry": finding.entry, "text": finding.text}


def lines_of(report: Report, line: str | None, *, kept_key_known: bool) -> Iterator[str]:
    """Return the result line by line; the last one is the head, if all is well."""
    base, head = report.base, report.head
    if base is not None and head is not None:
        yield (
            f"Checked {_entries(report.chained)} of the chain, {_SINCE[base.reason]}, numbers"
            f" {base.number + 1:,} to {head.number:,}, signed {_time(head.at)}"
        )
        begun = "was accepted" if base.reason is Reason.ACCEPTED else "began"
        yield f"The chain {begun} {_time(base.began_at)}: what was changed before is not found"
        yield from _notes(report)
    if report.kept is not None:
        yield f"Compared with the kept head {report.kept.number:,}, signed {_time(report.kept.at)}"
        if not kept_key_known:
            yield "The kept head is signed by a key that is not configured: only its hash was compared"
    for finding in report.findings:
        where = "" if finding.entry is None else f"entry {finding.entry}: "
        yield f"{finding.problem.upper()}: {where}{printable(finding.text)}"
    if report.problems.total() > len(report.findings):
        yield f"and {report.problems.total() - len(report.findings):,} more findings"
    if report.is_good:
        yield "No entry was changed, inserted, moved or removed. The head, to be kept elsewhere:"
        yield str(line)
    else:
        yield "THE AUDIT LOG IS NOT WHAT WAS SIGNED, or could not be compared. See docs/operations.md"


def _notes(report: Report) -> Iterator[str]:
    earlier = report.standings[Standing.EARLIER]
    if earlier:
        yield f"{_entries(earlier)} of an earlier release, which has no codes"
    accepted = report.standings[Standing.ACCEPTED]
    if accepted:
        yield f"{_entries(accepted)} that did not match the code and were accepted"
    if report.unchained and report.oldest_unchained is not None:
        yield (
            f"{_entries(report.unchained)} not yet part of the chain, the oldest of"
            f" {_time(report.oldest_unchained)}"
        )
    if report.restored:
        yield f"A backup was restored: entry {', '.join(map(str, report.restored[-3:]))}"
    if report.foreign:
        yield f"{counted(report.foreign, 'checkpoint')} by keys that are not configured any more"


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
