"""The table that a run prints."""

from collections.abc import Iterable
from typing import Final

from tests.topology.run import Outcome, Result

_SHOWN: Final = 5
_COLUMNS: Final = ("part", "component", "took", "requests", "slowest", "failed", "wrong", "failures by kind")


def table(results: Iterable[Result]) -> str:
    """Return the table of all steps, with examples of failures below it, and every wrong answer."""
    results = list(results)
    outcomes = [each for result in results for each in result.outcomes]
    rows = [_COLUMNS, *(_row(each) for each in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
    requests = sum(each.kinds.total() for each in outcomes)
    failed = sum(each.failed.total() for each in outcomes)
    wrong = [f"{each.part} {each.name}: {line}" for each in outcomes for line in each.wrong]
    wrong += [line for result in results for line in result.wrong]
    rotated = sum(result.rotated for result in results)
    lines.append(
        f"{requests} requests, {failed} failed, {len(wrong)} wrong;"
        f" {rotated} rotations in force everywhere when their call returned"
    )
    for each in outcomes:
        if each.failed and not each.may_fail:
            lines += [f"FAILED: {each.part} {each.name}: {told}" for told in each.told[:_SHOWN]]
    return "\n".join([*lines, *(f"WRONG: {line}" for line in wrong)])


def _row(each: Outcome) -> tuple[str, ...]:
    return (
        each.part,
        each.name,
        f"{each.took:.1f} s",
        str(each.kinds.total()),
        f"{each.slowest:.1f} s",
        str(each.failed.total()),
        str(len(each.wrong)),
        _by_kind(each.failed.items()),
    )


def _by_kind(counts: Iterable[tuple[str, int]]) -> str:
    return "; ".join(f"{kind} x{count}" for kind, count in sorted(counts))
