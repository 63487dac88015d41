"""The registry of nodes, and the evaluation of a wait: which nodes applied a change, and which cannot
answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

import msgspec

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text, pairs
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.position import Position

_details: Final = msgspec.json.Decoder(dict[str, Any])
_MAX_NUMBER_DIGITS: Final = 16
"""Number of digits; the scripts (``common.lua``) use the same limit."""


class NodeRecordError(KeyturnError):
    """A node's record cannot be read, so its lease is unknown."""

    code = "node_record_broken"


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node's record in Redis. Times are ms of Redis' clock; ``term_ms`` is lease and margin together."""

    node_id: str
    expires_at: int
    renewed_at: int
    term_ms: int
    applied: Position
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, node_id: str, record: str) -> Self:
        """Parse a record. Raises NodeRecordError."""
        *numbers, details = record.split("|", 5)
        if len(numbers) != 5 or not all(map(_is_number, numbers)):
            raise NodeRecordError(f"the record of {node_id[:100]!r} does not begin with five numbers")
        expires, renewed, term, epoch, sequence = map(int, numbers)
        return cls(node_id, expires, renewed, term, Position(epoch, sequence), _read_details(details))

    @property
    def serves_stale(self) -> bool:
        """True if its operator chose availability: it answers without a lease, so it is never fenced."""
        return bool(self.details.get("serves_stale"))


def _is_number(text: str) -> bool:
    return 0 < len(text) <= _MAX_NUMBER_DIGITS and text.isascii() and text.isdigit()


def _read_details(text: str) -> Mapping[str, Any]:
    """Parse the details a node shows to people; empty if they cannot be read."""
    try:
        return _details.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return {}


def read_records(records: Mapping[str, str]) -> tuple[tuple[NodeRecord, ...], tuple[str, ...]]:
    """Return the nodes' records, and the names of those whose record cannot be read.

    Every holder of Redis credentials can write any record, resource servers included. A nonsensical record
    delays waits only, until the relay has replaced it (``sweep_nodes``) and the replacement has expired.
    """
    nodes, unreadable = [], []
    for node_id, record in sorted(records.items()):
        try:
            nodes.append(NodeRecord.parse(node_id, record))
        except NodeRecordError:
            unreadable.append(node_id)
    return tuple(nodes), tuple(unreadable)


@dataclass(frozen=True, slots=True)
class RegistryView:
    """Head and nodes at one moment. ``published_at``: publication of the requested event (without one, of the
    newest), None if unpublished. ``unreadable``: nodes whose record cannot be read."""

    now: int
    head: Head | None
    nodes: tuple[NodeRecord, ...]
    published_at: int | None
    unreadable: tuple[str, ...] = ()


class NodeStatus(StrEnum):
    """State of a node with respect to one event."""

    APPLIED = "applied"
    FENCED = "fenced"
    PENDING = "pending"


UNACCOUNTED: Final = "unaccounted"
"""A pending entry that stands for nodes whose records Redis may have lost, and for a Redis that does not
answer."""


@dataclass(frozen=True, slots=True)
class FleetSummary:
    """Nodes with respect to one event: how many applied it, how many cannot answer, which are pending.

    It is ``safe`` exactly when none is pending: from now on, no node accepts what the event revoked. If the
    fleet is not ``known``, the numbers mean nothing.
    """

    applied: int
    fenced: int
    pending: tuple[str, ...]
    known: bool = True

    @property
    def safe(self) -> bool:
        return not self.pending

    @property
    def nodes(self) -> int:
        return self.applied + self.fenced + len(set(self.pending) - {UNACCOUNTED})


def status_of(node: NodeRecord, view: RegistryView, sequence: int) -> NodeStatus:
    """Return a node's state for the event with that sequence (docs/protocol.md gives the argument).

    Fenced means that by its own clock the node holds no lease: either its record expired, or the event was
    published a full term ago and every later lease was conditional on having applied it.
    """
    head = view.head
    if head is not None and node.applied.epoch == head.position.epoch and node.applied.sequence >= sequence:
        return NodeStatus.APPLIED
    if node.serves_stale:
        return NodeStatus.PENDING
    if node.expires_at < view.now:
        return NodeStatus.FENCED
    if view.published_at is not None and view.now > view.published_at + node.term_ms:
        return NodeStatus.FENCED
    return NodeStatus.PENDING


def summarize(view: RegistryView, sequence: int) -> FleetSummary:
    """Count the nodes by their state for one event.

    While the event is unpublished, Redis is untrusted, or leases that it lost may still be held, an
    unaccounted node is pending. So is every node whose record cannot be read.
    """
    pending: list[str] = [*view.unreadable]
    applied = fenced = 0
    for node in view.nodes:
        status = status_of(node, view, sequence)
        if status is NodeStatus.APPLIED:
            applied += 1
        elif status is NodeStatus.FENCED:
            fenced += 1
        else:
            pending.append(node.node_id)
    head = view.head
    # Nodes that Redis has lost are not among those it has, so their number would be wrong.
    known = head is not None and head.trusted and view.now >= head.waits_after
    accounted = known and view.published_at is not None
    unaccounted = () if accounted else (UNACCOUNTED,)
    return FleetSummary(applied, fenced, (*sorted(pending), *unaccounted), known=known)


UNKNOWN: Final = FleetSummary(applied=0, fenced=0, pending=(UNACCOUNTED,), known=False)
"""The summary while Redis does not answer: nothing is known, so nothing is safe."""


class FleetRegistry:
    """Reads the registry. Raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._layout = layout or Layout()

    async def view(self, sequence: int | None = None) -> RegistryView:
        """Read the registry with respect to one event, or to the newest."""
        return (await self.views([sequence]))[0]

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        """Read the registry with respect to many events at one moment, in order."""
        keys = [self._layout.head, self._layout.nodes, self._layout.events]
        asked = ["" if sequence is None else sequence for sequence in sequences]
        now, fields, run_id, records, published = await self._scripts.run("registry", keys, asked)
        nodes, unreadable = read_records(pairs(records))
        head = Head.from_hash(pairs(fields), as_text(run_id))
        return [
            RegistryView(int(now), head, nodes, int(at) if as_text(at) else None, unreadable)
            for at in published
        ]
