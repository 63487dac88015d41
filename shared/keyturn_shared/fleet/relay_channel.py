"""The relay's side of the protocol: filling Redis and publishing events."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text, pairs
from keyturn_shared.fleet.scripts import Argument, Scripts

STREAM_LENGTH: Final = 100_000
"""Events kept in the stream. A node further behind than that drops its caches instead of catching up."""

ALONE_SECONDS: Final = 2.0
"""For so long after a look nobody else relays: well below the relay's lease in the database."""
_ALONE_MS: Final = round(ALONE_SECONDS * 1000)


class Published(StrEnum):
    """What became of an event offered to Redis."""

    PUBLISHED = "published"
    DUPLICATE = "duplicate"
    GAP = "gap"
    SUPERSEDED = "superseded"
    UNTRUSTED = "untrusted"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Publication:
    """An event with the projections it touches: field to (sequence, body), body None when deleted."""

    sequence: int
    event_id: str
    payload: bytes
    projections: tuple[tuple[str, int, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at Redis showed: the head, None when this Redis holds no event log; which process it was;
    and when, in ms of its clock."""

    head: Head | None
    run_id: str
    at: int


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long a lease lasts for the node, and how much longer its record does. Seconds."""

    seconds: float = 10.0
    margin: float = 1.0

    def as_arguments(self) -> tuple[int, int]:
        return round(self.seconds * 1000), round(self.margin * 1000)


class RelayChannel:
    """What the relay does to Redis. Every method raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, terms: LeaseTerms, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._terms = terms
        self._layout = layout or Layout()

    async def look(self) -> Look:
        """What this Redis holds."""
        fields, run_id, now = await self._scripts.run("read_head", [self._layout.head], [])
        process = as_text(run_id)
        return Look(Head.from_hash(pairs(fields), process), process, int(now))

    async def read_head(self) -> Head | None:
        """The head, or None when this Redis holds no event log."""
        return (await self.look()).head

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
    ) -> bool:
        """Begin a new filling at ``sequence``. False when this epoch or a newer one was opened already.

        ``closed_nonce`` is the database's mark of a fleet closed in good order, ``fresh`` says that no epoch
        was ever opened on this database: in both cases no lease can be held anywhere. They were read after
        ``seen``, and count for ``ALONE_SECONDS``.
        """
        arguments: list[Argument] = [epoch, sequence, event_id, event, *self._terms.as_arguments()]
        arguments += [closed_nonce or "", int(fresh), STREAM_LENGTH, seen.run_id, seen.at, _ALONE_MS]
        reply = await self._scripts.run("open_epoch", [self._layout.head, self._layout.events], arguments)
        return as_text(reply) == "opened"

    async def carry_over(
        self, head: Head, epoch: int, event: bytes, *, seen: Look, closed_nonce: str | None
    ) -> bool:
        """Begin a new epoch with the projections of the one that was, where another Redis process holds them.

        ``head``: of ``seen``, and found in the database. False when it is not like that any more.
        ``closed_nonce`` as in ``open_epoch``.
        """
        old, new = head.position.epoch, epoch
        keys = [self._layout.head, self._layout.events]
        keys += [self._layout.projections(old), self._layout.projections(new)]
        arguments: list[Argument] = [old, head.position.sequence, head.event_id, seen.run_id]
        arguments += [new, event, *self._terms.as_arguments(), closed_nonce or "", STREAM_LENGTH]
        arguments += [seen.at, _ALONE_MS]
        return as_text(await self._scripts.run("carry_over", keys, arguments)) == "opened"

    async def newest_epoch(self) -> int:
        """The newest epoch this Redis has seen, by its head or by its stream; 0 when it is empty."""
        return int(await self._scripts.run("newest_epoch", [self._layout.head, self._layout.events], []))

    async def write_projections(self, epoch: int, batch: Sequence[tuple[str, int, bytes]]) -> bool:
        """Fill in (field, sequence, body). False when another epoch is in force, or Redis another process."""
        arguments: list[Argument] = [epoch]
        for field, sequence, body in batch:
            arguments += [field, b"%d:%s" % (sequence, body)]
        keys = [self._layout.head, self._layout.projections(epoch)]
        return as_text(await self._scripts.run("write_projections", keys, arguments)) == "written"

    async def complete_epoch(self, epoch: int) -> bool:
        """Say that every projection is there. False as in ``write_projections``."""
        return as_text(await self._scripts.run("complete_epoch", [self._layout.head], [epoch])) == "completed"

    async def stamp(self, head: Head, *, seen: Look) -> bool:
        """Say that the database was looked at after ``seen``. False when another epoch is in force, or Redis
        is another process."""
        arguments: list[Argument] = [head.position.epoch, seen.at, *self._terms.as_arguments()]
        return as_text(await self._scripts.run("stamp", [self._layout.head], arguments)) == "stamped"

    async def publish(self, epoch: int, publications: Sequence[Publication]) -> list[Published]:
        """Publish in order; after the first that is refused the rest are refused as gaps."""
        keys = [self._layout.head, self._layout.events, self._layout.projections(epoch)]
        calls = [(keys, _publish_arguments(epoch, publication)) for publication in publications]
        replies = await self._scripts.run_many("publish", calls)
        return [Published(as_text(reply)) for reply in replies]

    async def forget_projections(self, epoch: int) -> None:
        """Drop the projections of an epoch that is over."""
        await self._scripts.run(
            "forget_projections", [self._layout.head, self._layout.projections(epoch)], [epoch]
        )

    async def close(self, epoch: int, nonce: str) -> bool:
        """End trust in good order. False when a node may hold a lease, or another epoch is in force."""
        keys = [self._layout.head, self._layout.nodes]
        return as_text(await self._scripts.run("close", keys, [epoch, nonce])) == "closed"

    async def sweep_nodes(self, age_seconds: float) -> int:
        """Forget nodes whose lease ran out longer ago than that. How many."""
        return int(await self._scripts.run("sweep_nodes", [self._layout.nodes], [round(age_seconds * 1000)]))


def _publish_arguments(epoch: int, publication: Publication) -> list[Argument]:
    arguments: list[Argument] = [epoch, publication.sequence, publication.event_id, publication.payload]
    arguments.append(STREAM_LENGTH)
    for field, sequence, body in publication.projections:
        arguments += [field, b"%d:%s" % (sequence, body or b"")]
    return arguments
