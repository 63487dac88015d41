"""``docs/revocation.md``, made of the matrix: ``python -m tests.integration.revocation.page`` writes it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Final

from tests.integration.revocation.cells import reason_against
from tests.integration.revocation.places import PLACES
from tests.integration.revocation.ways import WAYS, Table, Way

PAGE: Final = Path(__file__).parents[3] / "docs" / "revocation.md"
TESTED: Final = "✓"
_TABLES: Final[dict[Table, str]] = {
    "credentials": "Ends of a credential",
    "tokens": "Ends of tokens",
    "clients": "Ends of a client",
    "realms": "Ends of a realm",
}
_CIRCUMSTANCES: Final = {
    "the call returns, and every process is asked at once": "test_nothing_is_granted_after_the_call_returned",
    "a node and a resource server are stopped (SIGSTOP) during the change, and find requests in their"
    " sockets when they resume": "test_nothing_is_granted_by_a_process_that_was_stopped_over_the_change",
    "Redis is emptied after the call returned, is killed, and comes back empty: all are asked after"
    " each step, during recovery, and"
    " afterwards": "test_nothing_is_granted_after_redis_was_lost_right_after_the_change",
}
_HEAD: Final = """\
# What a revocation ends, and where

The tables show the effect of each kind of revocation (columns) at each place that grants access (rows). ✓:
once the call has returned with `Preference-Applied: wait`, no process grants anything there any more.
A letter refers to the reason why there is nothing to end.

<!-- Made by `python -m tests.integration.revocation.page`; a test compares it with the matrix. -->

`make revocation` tries every ✓ three times (`tests/integration/revocation/test_revocation_matrix.py`), and
every run of the tests twice: in the first of these circumstances, and in one of the two others. Redis, the
credentials service, two nodes and two resource servers run as separate processes. Each cell has its own
client. Right before the change, every process grants this client what it requests, so all caches are warm:

| | test |
|---|---|
{circumstances}

In each of these tests, unaffected clients are still granted everything. An open event stream ends, and
reports nothing about changes made after the call. A change that ends everything in a realm is one call for
all of its cells.

Only the credentials service checks administrators, at its own token endpoint and on behalf of nodes that
forward their requests. A resource server uses the key sets that nodes have fetched: until a node has fetched
the set, it refuses what a client signed.
"""


def render() -> str:
    """Build the page."""
    reasons = _reasons()
    rows = [f"| {what} | `{test}` |" for what, test in _CIRCUMSTANCES.items()]
    parts = [_HEAD.format(circumstances="\n".join(rows))]
    for table, title in _TABLES.items():
        ways = [way for way in WAYS if way.table == table]
        parts.append("\n".join([f"## {title}", "", *_table(ways, reasons)]) + "\n")
    letters = [f"| {letter} | {reason} |" for reason, letter in reasons.items()]
    parts.append("\n".join(["## Why there is nothing to end", "", "| | |", "|---|---|", *letters]) + "\n")
    return "\n".join(parts)


def _reasons() -> dict[str, str]:
    """Return the letter of each reason, in order of appearance."""
    found = (reason_against(way, place) for way in WAYS for place in PLACES)
    distinct = dict.fromkeys(reason for reason in found if reason is not None)
    return dict(zip(distinct, ascii_lowercase, strict=False))


def _table(ways: Sequence[Way], reasons: dict[str, str]) -> Iterator[str]:
    yield f"| | {' | '.join(way.name for way in ways)} |"
    yield "|---" * (len(ways) + 1) + "|"
    for place in PLACES:
        against = [reason_against(way, place) for way in ways]
        cells = [TESTED if reason is None else reasons[reason] for reason in against]
        yield f"| {place.name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(render())
