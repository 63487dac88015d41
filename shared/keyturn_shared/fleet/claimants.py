"""Claimants: nodes that may mark assertions as used, and whose memory a new Redis must wait for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import NodeRecord

RETURNED_TO: Final = "replay_memory"
"""Detail of a node: the epoch to which it has copied its record of used assertions."""


class Order(StrEnum):
    """Instruction of the relay to Redis about a node. ADMIT: it may mark assertions. FORGET: it no longer
    may, and its memory is lost. RETURNED: it has copied its memory to this epoch."""

    ADMIT = "admit"
    FORGET = "forget"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Claimants:
    """All nodes that may have accepted an assertion and still remember it, and the replay barrier.

    The barrier is a time (ms of Redis' clock) up to which others may have accepted assertions that only Redis
    remembers.
    """

    nodes: frozenset[str]
    forgotten_at: int


class NotKept(StrEnum):
    """Reason why Redis did not update the claimants.

    UNTRUSTED: Redis was lost, so no node may mark assertions. ELSEWHERE: another epoch is active, another
    relay manages the claimants, or the update came too late.
    """

    UNTRUSTED = "untrusted"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class ClaimantsView:
    """A snapshot of Redis. ``awaited``: each claimant, and True if its memory is still missing."""

    now: int
    run_id: str
    head: Head | None
    awaited: Mapping[str, bool]
    nodes: tuple[NodeRecord, ...]


def orders(view: ClaimantsView) -> list[tuple[Order, str]]:
    """Decide what to do from a snapshot of Redis.

    A node without a living record holds no lease, so it accepts nothing until it is admitted again. A
    claimant whose memory is awaited has one full term from the start of the epoch to come back.
    """
    head = view.head
    if head is None:
        return []
    records = {node.node_id: node for node in view.nodes}
    alive = {node.node_id for node in view.nodes if node.expires_at > view.now}
    patient = view.now <= head.opened_at + head.lease_ms + head.margin_ms
    found: list[tuple[Order, str]] = []
    for node_id, awaited in sorted(view.awaited.items()):
        if awaited and node_id in alive and has_returned(records[node_id], head.position.epoch):
            found.append((Order.RETURNED, node_id))
        elif node_id not in alive and not (awaited and patient):
            found.append((Order.FORGET, node_id))
    return [*found, *((Order.ADMIT, node_id) for node_id in sorted(alive - view.awaited.keys()))]


def has_returned(node: NodeRecord, epoch: int) -> bool:
    """Return whether a node reports that this epoch's Redis has everything it remembers."""
    return node.applied.epoch == epoch and node.details.get(RETURNED_TO) == epoch


def admitted(found: Iterable[tuple[Order, str]]) -> list[str]:
    return [node_id for order, node_id in found if order is Order.ADMIT]
