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


class Published(StrEnum):
    """What became of an event offered to Redis."""

    PUBLISHED = "published"
    DUPLICATE = "duplicate"
    GAP = "gap"
    SUPERSEDED = "superseded"
    UNTRUSTED = "untrusted"
    DIVERGED = "diverged"


class Vouched(StrEnum):
    """What became of an attempt to vouch for this Redis process."""

    VOUCHED = "vouched"
    MOVED = "moved"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Publication:
    """An event with the projections it touches: field to (sequence, body), body None when deleted."""

    sequence: int
    event_id: str
    payload: bytes
    projections: tuple[tuple[str, int, bytes | None], ...]


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

    async def read_head(self) -> Head | None:
        """The head, or None when this Redis holds no event log."""
        fields, run_id, _ = await self._scripts.run("read_head", [self._layout.head], [])
        return Head.from_hash(pairs(fields), as_text(run_id))

    async def open_epoch(
        self, epoch: int, sequence: int, event_id: str, event: bytes, *, closed_nonce: str | None, fresh: bool
    ) -> bool:
        """Begin a new filling at ``sequence``. False when this epoch or a newer one was opened already.

        ``closed_nonce`` is the database's mark of a fleet closed in good order, ``fresh`` says that no epoch
        was ever opened on this database: in both cases no lease can be held anywhere.
        """
        arguments: list[Argument] = [epoch, sequence, event_id, event, *self._terms.as_arguments()]
        arguments += [closed_nonce or "", int(fresh), STREAM_LENGTH]
        reply = await self._scripts.run("open_epoch", [self._layout.head, self._layout.events], arguments)
        return as_text(reply) == "opened"

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

    async def vouch(self, head: Head, *, closed_nonce: str | None) -> Vouched:
        """Trust this Redis process: the head it holds was found in the database just now."""
        position = head.position
        arguments: list[Argument] = [position.epoch, position.sequence, head.event_id]
        arguments += [*self._terms.as_arguments(), closed_nonce or ""]
        return Vouched(as_text(await self._scripts.run("vouch", [self._layout.head], arguments)))

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
