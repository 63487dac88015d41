"""Decision about the number of partitions of used assertions, and its change while nodes work. Pure."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from keyturn_shared.fleet.partitions import KEPT, PARTITIONING, REMEMBERS, Partitioning
from keyturn_shared.fleet.registry import NodeRecord

_MOST_COUNTS: Final = 3
_MOST_KEPT: Final = 6
_MARGIN_SECONDS: Final = 60.0
"""More than a lease: a node whose record is lost marks by what it knew until its lease ends."""
_MOST_SECONDS: Final = 100_000.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """All living nodes have marked assertions by one partitioning ``since`` this time (elapsed seconds).
    ``remembered``: seconds for which marks by an earlier one may still be needed."""

    partitioning: Partitioning
    since: float
    remembered: float = 0.0


def agreement_after(
    former: Agreement | None, partitioning: Partitioning, nodes: Iterable[NodeRecord], now: float
) -> Agreement | None:
    """Return the agreement of these living nodes; None while one of them marks by another partitioning, or by
    one that it does not report. The longest time reported since it began counts, also of nodes that have
    ended since."""
    reports = [node.details for node in nodes]
    if any(report.get(PARTITIONING) != str(partitioning) for report in reports):
        return None
    known = former if former is not None and former.partitioning == partitioning else None
    agreed = known or Agreement(partitioning, now)
    remembered = max([agreed.remembered, *(_seconds(report.get(REMEMBERS)) for report in reports)])
    return Agreement(partitioning, agreed.since, remembered)


def in_force(stored: Partitioning, stated: Partitioning | None, nodes: Iterable[NodeRecord]) -> Partitioning:
    """Return everything by which nodes may have marked assertions.

    ``stored``: in the database. ``stated``: in the relay's last statement to the nodes, if it can be read. A
    database restored from a backup may not know of it, nor of what these living nodes have kept.
    """
    known = stored if stated is None else stored.joined_by(stated.counts)
    for node in nodes:
        with suppress(ValueError, TypeError, AttributeError):
            kept = Partitioning.parse(node.details.get(KEPT, ""))
            if len(known.joined_by(kept.counts).counts) <= _MOST_KEPT:
                known = known.joined_by(kept.counts)
    return known


def next_partitioning(known: Partitioning, wanted: int, agreed: Agreement | None, now: float) -> Partitioning:
    """Return the partitioning that follows the one in force. The wanted number joins the others at once. The
    others go once all nodes agree on all of them for as long as marks are remembered: then every mark that
    may be needed is also in a partition of the one that stays."""
    if wanted not in known.counts and len(known.counts) < _MOST_COUNTS:
        return known.joined_by((wanted,))
    if (
        agreed is None
        or agreed.partitioning != known
        or now < agreed.since + agreed.remembered + _MARGIN_SECONDS
    ):
        return known
    return Partitioning((wanted if wanted in known.counts else known.counts[-1],))


def _seconds(reported: Any) -> float:
    """Return a reported time; the longest there is for one that cannot be read. Nodes are not trusted."""
    if not isinstance(reported, int | float) or not 0 <= reported <= _MOST_SECONDS:
        return _MOST_SECONDS
    return float(reported)
