"""The check of a whole audit log against its chain, entry by entry. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from keyturn_credentials.domain.audit_chain.entries import WRONG, Entry, Standing, matches
from keyturn_credentials.domain.audit_chain.links import link
from keyturn_credentials.domain.audit_chain.statements import Base, Head
from keyturn_shared.sealing import KeyRing

MOST_FINDINGS: Final = 100
"""Findings that are kept; all of them are counted."""
RESTORED: Final = "database_restored"


class Problem(StrEnum):
    """Kinds of findings."""

    CHANGED = "changed"
    MISSING = "missing"
    CUT_OFF = "cut_off"
    UNSIGNED = "unsigned"
    REWRITTEN = "rewritten"
    UNVOUCHED = "unvouched"
    ALTERED = "altered"
    LATE = "late"
    REPEATED = "repeated"
    CHANGES_MISSING = "changes_missing"
    NOT_BEGUN = "not_begun"
    STATEMENT = "statement"
    KEPT_HEAD = "kept_head"
    KEPT_HEAD_TOO_OLD = "kept_head_too_old"


_OF_STANDING: Final = {
    Standing.UNVOUCHED: Problem.UNVOUCHED,
    Standing.ALTERED: Problem.ALTERED,
    Standing.LATE: Problem.LATE,
}
_MEANING: Final = {
    Problem.UNVOUCHED: "no instance of the service vouches for it",
    Problem.ALTERED: "it was changed after an instance had written it, and before it was added to the chain",
    Problem.LATE: "it was inserted later than the time that it bears",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``entry``: id of the audit entry, None if it is about none."""

    problem: Problem
    text: str
    entry: int | None = None


@dataclass(slots=True)
class Report:
    """The result of a check. ``base``, ``head``: as they were signed, None if there is none. ``unchained``:
    entries that are not part of the chain yet; ``restored``: ids of entries about a restored backup.
    ``foreign``: checkpoints by keys that are not configured any more, which the head replaces."""

    base: Base | None = None
    head: Head | None = None
    chained: int = 0
    unchained: int = 0
    oldest_unchained: float | None = None
    checkpoints: int = 0
    foreign: int = 0
    kept: Head | None = None
    standings: Counter[Standing] = field(default_factory=Counter)
    restored: list[int] = field(default_factory=list)
    problems: Counter[Problem] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.problems

    def find(self, problem: Problem, text: str, entry: int | None = None) -> None:
        self.problems[problem] += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(problem, text, entry))


class ChainCheck:
    """Takes the entries of the chain in its order, then those that are not part of it yet, then ``finish``.

    ``points``: what was signed about places of the chain, with a name for each: the hashes there must be
    these.
    """

    def __init__(
        self,
        ring: KeyRing,
        report: Report,
        base: Base,
        head: Head,
        points: Sequence[tuple[str, Head]],
        *,
        settled: bool,
    ) -> None:
        """Begin after the base. ``report``: gets the findings. ``settled``: no earlier release can have
        written an entry that is not part of the chain yet."""
        self.report = report
        self._ring = ring
        self._base = base
        self._head = head
        self._settled = settled
        self._points = sorted((*points, ("its head", head)), key=lambda point: point[1].number)
        self._passed = 0
        self._number = base.number
        self._hash = base.hash
        self._last: int | None = None
        self._sequence: int | None = None
        self._pass_points(base.number - 1)
        self._compare()

    def add(self, entry: Entry) -> None:
        """Take the next entry of the chain."""
        report, number = self.report, entry.number
        report.chained += 1
        self._note(entry)
        if number != self._number + 1:
            self._find_gap(entry)
        elif entry.previous != self._hash:
            self._find_changed(entry)
        if number is None or entry.standing is None:
            report.find(Problem.CHANGED, "its columns of the chain were changed", entry.id)
            number = self._number + 1 if number is None else number
        self._pass_points(number - 1)
        self._number, self._last = number, entry.id
        self._hash = link(entry.previous or b"", number, entry, entry.standing or 0)
        self._judge(entry)
        self._compare()

    def add_unchained(self, entry: Entry) -> None:
        """Take an entry that is not part of the chain yet."""
        report = self.report
        report.unchained += 1
        if isinstance(entry.occurred_at, float | int):
            oldest = report.oldest_unchained
            report.oldest_unchained = entry.occurred_at if oldest is None else min(oldest, entry.occurred_at)
        self._note(entry)
        code = matches(self._ring, entry)
        if code is False:
            report.find(Problem.ALTERED, "it was changed after an instance had written it", entry.id)
        elif code is None and self._settled:
            report.find(Problem.UNVOUCHED, _MEANING[Problem.UNVOUCHED], entry.id)

    def finish(self, newest_sequence: int | None = None) -> Report:
        """Return the result. ``newest_sequence``: of the event log."""
        head, report = self._head, self.report
        if self._number < head.number:
            self._find_missing(self._number + 1, head.number, Problem.CUT_OFF)
        elif self._number > head.number:
            report.find(
                Problem.UNSIGNED,
                f"numbers {head.number + 1} to {self._number} were never signed",
            )
        self._pass_points(self._points[-1][1].number)
        if newest_sequence is not None:
            self._require_changes(newest_sequence)
        return report

    def _judge(self, entry: Entry) -> None:
        try:
            standing = Standing(entry.standing or 0)
        except ValueError:
            self.report.find(Problem.CHANGED, "its columns of the chain were changed", entry.id)
            return
        self.report.standings[standing] += 1
        if standing in WRONG:
            problem = _OF_STANDING[standing]
            self.report.find(problem, _MEANING[problem], entry.id)

    def _note(self, entry: Entry) -> None:
        if entry.action == RESTORED:
            self.report.restored.append(entry.id)
        if isinstance(entry.sequence, int):
            self._require_changes(entry.sequence - 1)
            self._sequence = max(entry.sequence, self._sequence or 0)

    def _require_changes(self, newest: int) -> None:
        """Every change has an entry, and changes are numbered without gaps."""
        if self._sequence is None:
            return
        first = max(self._sequence, self._base.changes) + 1
        if newest >= first:
            which = f"change {first} has" if first == newest else f"changes {first} to {newest} have"
            self.report.find(Problem.CHANGES_MISSING, f"{which} no entry")

    def _find_gap(self, entry: Entry) -> None:
        number = entry.number or 0
        if number > self._number + 1:
            self._find_missing(self._number + 1, number - 1, Problem.MISSING)
        else:
            self.report.find(Problem.CHANGED, f"its number {number} is not the next one", entry.id)

    def _find_missing(self, first: int, last: int, problem: Problem) -> None:
        which = f"entry {first}" if first == last else f"entries {first} to {last}"
        where = " at the end" if problem is Problem.CUT_OFF else ""
        self.report.find(problem, f"{which} of the chain, by number: missing{where}")

    def _find_changed(self, entry: Entry) -> None:
        if self._last is None:
            text = "it does not follow the signed base of the chain"
            self.report.find(Problem.CHANGED, text, entry.id)
        else:
            text = f"it, or its place, was changed: entry {entry.id} follows another one"
            self.report.find(Problem.CHANGED, text, self._last)

    def _pass_points(self, number: int) -> None:
        """Pass by what was signed about places up to this one: none of these entries is there."""
        while self._passed < len(self._points) and self._points[self._passed][1].number <= number:
            self._passed += 1

    def _compare(self) -> None:
        for name, point in self._points_here():
            if point.hash != self._hash:
                text = (
                    f"up to number {point.number} the chain is not what was signed as {name}: this entry, or"
                    " what comes before, was changed"
                )
                self.report.find(Problem.REWRITTEN, text, self._last)

    def _points_here(self) -> Iterator[tuple[str, Head]]:
        while self._passed < len(self._points) and self._points[self._passed][1].number == self._number:
            yield self._points[self._passed]
            self._passed += 1


def compare_kept(report: Report, kept: Head) -> bool:
    """Compare a head that was kept elsewhere with the signed ones. Return whether the chain has its place, so
    that its hash can be compared as well."""
    base, head = report.base, report.head
    report.kept = kept
    if base is None or head is None:
        return False
    if kept.log != head.log:
        report.find(Problem.KEPT_HEAD, "the kept head is that of another database")
    elif kept.number > head.number:
        report.find(
            Problem.CUT_OFF,
            f"the chain ends at number {head.number}, and the kept head is {kept.number}: what followed was"
            " cut off, or a backup was restored",
        )
    elif kept.number < base.number:
        report.find(
            Problem.KEPT_HEAD_TOO_OLD,
            f"the kept head is {kept.number}, and the chain begins after {base.number} ({base.reason}): they"
            " cannot be compared",
        )
    else:
        return True
    return False
