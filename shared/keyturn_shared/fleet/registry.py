"""The registry of nodes, and the judgement of a wait: who applied a change, who cannot answer any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

import msgspec

from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text, pairs
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.position import Position

_details: Final = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What Redis knows of a node. Times are ms of Redis' clock; ``term_ms`` is lease and margin together."""

    node_id: str
    expires_at: int
    renewed_at: int
    term_ms: int
    applied: Position
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, node_id: str, record: str) -> Self:
        expires, renewed, term, epoch, sequence, details = record.split("|", 5)
        return cls(
            node_id,
            int(expires),
            int(renewed),
            int(term),
            Position(int(epoch), int(sequence)),
            _details.decode(details),
        )

    @property
    def serves_stale(self) -> bool:
        """Whether its operator chose availability: it answers without a lease, so it is never fenced."""
        return bool(self.details.get("serves_stale"))


@dataclass(frozen=True, slots=True)
class RegistryView:
    """Head and nodes at one moment. ``published_at``: when the event asked for was published (the newest one
    where none was asked for), None if it is not."""

    now: int
    head: Head | None
    nodes: tuple[NodeRecord, ...]
    published_at: int | None


class Standing(StrEnum):
    """Where a node stands towards one event."""

    APPLIED = "applied"
    FENCED = "fenced"
    PENDING = "pending"


UNACCOUNTED: Final = "unaccounted"
"""Stands among the pending for nodes whose records Redis may have lost, and for a Redis that says nothing."""


@dataclass(frozen=True, slots=True)
class FleetSummary:
    """Nodes towards one event: how many applied it, how many cannot answer, which are pending.

    It is ``safe`` exactly when none is pending: no node accepts what the event ended, from now on.
    """

    applied: int
    fenced: int
    pending: tuple[str, ...]

    @property
    def safe(self) -> bool:
        return not self.pending

    @property
    def nodes(self) -> int:
        return self.applied + self.fenced + len(self.pending)


def standing_of(node: NodeRecord, view: RegistryView, sequence: int) -> Standing:
    """Where a node stands towards the event with that sequence (docs/protocol.md gives the argument).

    Fenced means that the node, by its own clock, holds no lease: either its record ran out, or the event was
    published a whole term ago and every lease given since was given only for having applied it.
    """
    head = view.head
    if head is not None and node.applied.epoch == head.position.epoch and node.applied.sequence >= sequence:
        return Standing.APPLIED
    if node.serves_stale:
        return Standing.PENDING
    if node.expires_at < view.now:
        return Standing.FENCED
    if view.published_at is not None and view.now > view.published_at + node.term_ms:
        return Standing.FENCED
    return Standing.PENDING


def judge(view: RegistryView, sequence: int) -> FleetSummary:
    """Count the nodes towards one event.

    While the event is not published, Redis is not trusted, or leases that it forgot may still be held,
    somebody unaccounted for is pending.
    """
    pending: list[str] = []
    applied = fenced = 0
    for node in view.nodes:
        standing = standing_of(node, view, sequence)
        if standing is Standing.APPLIED:
            applied += 1
        elif standing is Standing.FENCED:
            fenced += 1
        else:
            pending.append(node.node_id)
    head = view.head
    accounted = (
        head is not None and head.trusted and view.published_at is not None and view.now >= head.waits_after
    )
    unaccounted = () if accounted else (UNACCOUNTED,)
    return FleetSummary(applied, fenced, (*sorted(pending), *unaccounted))


class FleetRegistry:
    """Reads the registry. Raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._layout = layout or Layout()

    async def view(self, sequence: int | None = None) -> RegistryView:
        """Towards one event, or towards the newest."""
        return (await self.views([sequence]))[0]

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        """As ``view``, towards many events at one moment, in order."""
        keys = [self._layout.head, self._layout.nodes, self._layout.events]
        asked = ["" if sequence is None else sequence for sequence in sequences]
        now, fields, run_id, records, published = await self._scripts.run("registry", keys, asked)
        nodes = tuple(NodeRecord.parse(name, record) for name, record in sorted(pairs(records).items()))
        head = Head.from_hash(pairs(fields), as_text(run_id))
        return [RegistryView(int(now), head, nodes, int(at) if as_text(at) else None) for at in published]
