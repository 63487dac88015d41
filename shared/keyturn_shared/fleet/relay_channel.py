"""The relay's side of the protocol: filling Redis and publishing events."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keyturn_shared.fleet.claimants import Claimants, ClaimantsView, NotKept, Order
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.registry import read_records
from keyturn_shared.fleet.replies import as_text, pairs
from keyturn_shared.fleet.scripts import Argument, Scripts

STREAM_LENGTH: Final = 100_000
"""Number of events kept in the stream. A node that is further behind drops its caches instead of catching
up."""

ALONE_SECONDS: Final = 2.0
"""Seconds after a look during which no other process relays; well below the relay's lease in the database."""
_ALONE_MS: Final = round(ALONE_SECONDS * 1000)


class Published(StrEnum):
    """Outcome of publishing an event."""

    PUBLISHED = "published"
    DUPLICATE = "duplicate"
    GAP = "gap"
    SUPERSEDED = "superseded"
    UNTRUSTED = "untrusted"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Publication:
    """An event with the projections it touches: field to (sequence, body), body None when deleted.
    ``previous_id``: of the event before it in the database's log, empty for the first. ``latest``: sequence
    and id of the newest event that a projection in Redis comes from afterwards; ``known_latest``: the id of
    the one before."""

    sequence: int
    event_id: str
    previous_id: str
    payload: bytes
    projections: tuple[tuple[str, int, bytes | None], ...]
    known_latest: str = ""
    latest: tuple[int, str] = (0, "")


@dataclass(frozen=True, slots=True)
class Look:
    """A look at Redis: the head, or None if there is no event log; the process; the time in ms of its
    clock."""

    head: Head | None
    run_id: str
    at: int


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Duration of a node's lease, and how much longer its record lasts. Seconds."""

    seconds: float = 10.0
    margin: float = 1.0

    def as_arguments(self) -> tuple[int, int]:
        return round(self.seconds * 1000), round(self.margin * 1000)


class RelayChannel:
    """The relay's operations on Redis. Every method raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, terms: LeaseTerms, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._terms = terms
        self._layout = layout or Layout()

    async def look(self) -> Look:
        """Look at the current state of this Redis."""
        fields, run_id, now = await self._scripts.run("read_head", [self._layout.head], [])
        process = as_text(run_id)
        return Look(Head.from_hash(pairs(fields), process), process, int(now))

    async def open_epoch(
        self,
        epoch: int,
        sequence: int,
        event_id: str,
        event: bytes,
        *,
        seen: Look,
        closed_nonce: str | None,
        fresh: bool,
        statement: bytes,
        claimants: Claimants | None = None,
    ) -> bool:
        """Begin a new epoch at ``sequence``. Return False if this epoch or a newer one was opened already.

        ``statement``: signed, about the head at that point. ``closed_nonce``: the database's mark of a clean
        shutdown. ``fresh``: no epoch was ever opened on this database. In both cases no lease can be held
        anywhere. ``claimants``: nodes that may have accepted assertions, None if unknown. They must have been
        read after ``seen``, and are valid for ``ALONE_SECONDS``.
        """
        arguments: list[Argument] = [epoch, sequence, event_id, event, *self._terms.as_arguments()]
        arguments += [closed_nonce or "", int(fresh), STREAM_LENGTH, seen.run_id, seen.at, _ALONE_MS]
        keys = [self._layout.head, self._layout.events, self._layout.claimants]
        keys.append(self._layout.projections(epoch))
        arguments += [statement, *_claimant_arguments(claimants)]
        reply = await self._scripts.run("open_epoch", keys, arguments)
        return as_text(reply) == "opened"

    async def carry_over(
        self,
        head: Head,
        epoch: int,
        event: bytes,
        *,
        seen: Look,
        closed_nonce: str | None,
        statement: bytes,
        claimants: Claimants | None = None,
    ) -> bool:
        """Begin a new epoch with the projections of the previous one, when another Redis process holds them.

        ``head``: the one of ``seen``, and known to the database. Return False if it has changed.
        ``closed_nonce``, ``claimants`` and ``statement`` as in ``open_epoch``.
        """
        old, new = head.position.epoch, epoch
        keys = [self._layout.head, self._layout.events, self._layout.claimants]
        keys += [self._layout.projections(old), self._layout.projections(new)]
        arguments: list[Argument] = [old, head.position.sequence, head.event_id, STREAM_LENGTH]
        arguments += [new, event, *self._terms.as_arguments(), closed_nonce or ""]
        arguments += [seen.run_id, seen.at, _ALONE_MS, statement, *_claimant_arguments(claimants)]
        return as_text(await self._scripts.run("carry_over", keys, arguments)) == "opened"

    async def newest_epoch(self) -> int:
        """Return the newest epoch this Redis has seen, by its head, its stream or its nodes; 0 when it is
        empty."""
        keys = [self._layout.head, self._layout.events, self._layout.nodes]
        return int(await self._scripts.run("newest_epoch", keys, []))

    async def write_projections(
        self,
        epoch: int,
        batch: Sequence[tuple[str, int, bytes]],
        *,
        known_latest: str = "",
        latest: tuple[int, str] = (0, ""),
    ) -> bool:
        """Write projections (field, sequence, body). ``known_latest`` and ``latest`` as in ``Publication``.
        Return False in another epoch or Redis process, and if projections of another log may be there."""
        arguments: list[Argument] = [epoch, known_latest, *latest]
        for field, sequence, body in batch:
            arguments += [field, b"%d:%s" % (sequence, body)]
        keys = [self._layout.head, self._layout.projections(epoch)]
        return as_text(await self._scripts.run("write_projections", keys, arguments)) == "written"

    async def complete_epoch(self, epoch: int) -> bool:
        """Mark the epoch's projections as complete. Return False in another epoch or Redis process, or if
        they were lost."""
        keys = [self._layout.head, self._layout.projections(epoch)]
        return as_text(await self._scripts.run("complete_epoch", keys, [epoch])) == "completed"

    async def find_loss(self, epoch: int) -> str:
        """Return what the epoch has lost: ``event_lost`` if the stream lacks the head's event,
        ``projections_lost`` if the projections were complete and are no longer there, ``nodes_ahead`` if a
        node is in a newer epoch, or nothing."""
        keys = [self._layout.head, self._layout.events, self._layout.projections(epoch), self._layout.nodes]
        return as_text(await self._scripts.run("find_loss", keys, [epoch]))

    async def stamp(self, head: Head, *, seen: Look, statement: bytes) -> bool:
        """Record that the database was checked after ``seen``, with a signed statement about it. Return False
        in another epoch or Redis process."""
        arguments: list[Argument] = [head.position.epoch, seen.at, *self._terms.as_arguments(), statement]
        return as_text(await self._scripts.run("stamp", [self._layout.head], arguments)) == "stamped"

    async def publish(self, epoch: int, publications: Sequence[Publication]) -> list[Published]:
        """Publish in order. After the first event that is refused, so are the rest."""
        keys = [self._layout.head, self._layout.events, self._layout.projections(epoch)]
        calls = [(keys, _publish_arguments(epoch, publication)) for publication in publications]
        replies = await self._scripts.run_many("publish", calls)
        return [Published(as_text(reply)) for reply in replies]

    async def forget_projections(self, epoch: int) -> None:
        """Delete the projections of an epoch that is over."""
        await self._scripts.run(
            "forget_projections", [self._layout.head, self._layout.projections(epoch)], [epoch]
        )

    async def close(self, epoch: int, nonce: str) -> bool:
        """End trust in Redis for a clean shutdown. Return False if a node may hold a lease, or in another
        epoch."""
        keys = [self._layout.head, self._layout.nodes]
        return as_text(await self._scripts.run("close", keys, [epoch, nonce])) == "closed"

    async def read_claimants(self) -> ClaimantsView:
        """Read the nodes that may mark assertions, and the nodes of the fleet."""
        keys = [self._layout.head, self._layout.claimants, self._layout.nodes]
        fields, run_id, now, claimants, records = await self._scripts.run("read_claimants", keys, [])
        process = as_text(run_id)
        return ClaimantsView(
            int(now),
            process,
            Head.from_hash(pairs(fields), process),
            {node_id: state == "0" for node_id, state in pairs(claimants).items()},
            read_records(pairs(records))[0],
        )

    async def keep_claimants(
        self, view: ClaimantsView, keeper: str, orders: Sequence[tuple[Order, str]]
    ) -> Claimants | NotKept:
        """Update the claimants, and lower the replay barrier when none is awaited any more. Return the new
        claimants, or the reason why nothing changed. A view is valid for ``ALONE_SECONDS``."""
        if view.head is None:
            return NotKept.UNTRUSTED
        keys = [self._layout.head, self._layout.claimants, self._layout.nodes]
        arguments: list[Argument] = [view.head.position.epoch, view.run_id, view.now, _ALONE_MS, keeper]
        for order, node_id in orders:
            arguments += [order.value, node_id]
        reply = await self._scripts.run("keep_claimants", keys, arguments)
        outcome = as_text(reply[0])
        if outcome != "kept":
            return NotKept.UNTRUSTED if outcome == "untrusted" else NotKept.ELSEWHERE
        return Claimants(frozenset(pairs(reply[2])), int(reply[1]))

    async def forget_uses(self, client_uuids: Sequence[str]) -> None:
        """Delete the last-used records of clients that were deleted."""
        await self._scripts.run("forget_uses", [self._layout.uses(uuid) for uuid in client_uuids], [])

    async def sweep_nodes(self, age_seconds: float) -> int:
        """Delete nodes whose lease expired longer ago than that. Return how many.

        An unreadable record may have replaced a living node's. It becomes the record of a node that has
        applied nothing and whose lease expires a full term from now.
        """
        arguments: list[Argument] = [round(age_seconds * 1000), *self._terms.as_arguments()]
        return int(await self._scripts.run("sweep_nodes", [self._layout.nodes], arguments))


def _claimant_arguments(claimants: Claimants | None) -> list[Argument]:
    if claimants is None:
        return [""]
    return [claimants.forgotten_at, *sorted(claimants.nodes)]


def _publish_arguments(epoch: int, publication: Publication) -> list[Argument]:
    arguments: list[Argument] = [epoch, publication.sequence, publication.event_id, publication.previous_id]
    arguments += [publication.payload, STREAM_LENGTH, publication.known_latest, *publication.latest]
    for field, sequence, body in publication.projections:
        arguments += [field, b"%d:%s" % (sequence, body or b"")]
    return arguments
