"""Key sets in Redis: records, queues and leases. Every step is one Lua script."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

import structlog

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Argument, Scripts
from keyturn_shared.key_set_address import HOST_CHARACTERS, KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import (
    KeySetRecord,
    KeySetRecordError,
    Required,
    encode_record,
    generation_of,
)
from keyturn_shared.key_sets.seal import KeySetSeal, request_in
from keyturn_shared.position import Position
from keyturn_shared.signed_log.errors import ForgedError, UnsignedError
from keyturn_verifier.key_sets.policy import KeySetPolicy

SCRIPTS_PACKAGE: Final = "keyturn_verifier.key_sets"
"""Package in which ``RedisScripts`` finds the scripts of key sets."""

_BUSY_HOST_MS: Final = 1000
_OTHERS_SECONDS: Final = 1.0
_SCRIPTS_AT_ONCE: Final = 16

_log = structlog.get_logger(__name__)

Need = Literal["keys", "kid"]
"""A request lacks all usable keys, or only one with its kid."""


class Queue(StrEnum):
    """The queue of key sets whose last attempt succeeded, and the queue of the others."""

    DUE = "due"
    RETRIES = "retries"


@dataclass(frozen=True, slots=True)
class FetchLease:
    """The right to make one attempt, until the lease expires. ``record``: as it is before the attempt.
    ``late_seconds``: how long a poll was overdue."""

    id: str
    token: str
    generation: int
    as_of: Position
    record: KeySetRecord
    late_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FetchLeases:
    """Key sets that were due. ``pause``: seconds until the next one is, None when the queue is empty."""

    leases: tuple[FetchLease, ...]
    pause: float | None


class Answer(StrEnum):
    """Redis' answer to a demand.

    RECORD: a newer record is there. CLAIMED: the caller may fetch. IN_PROGRESS: another worker is fetching.
    WAIT: no fetch is allowed yet. BEHIND: this Redis knows less of the event log than the node.
    """

    RECORD = "record"
    CLAIMED = "claimed"
    IN_PROGRESS = "flying"
    WAIT = "wait"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class DemandReply:
    """``now``: ms of Redis' clock. ``seconds``: until another worker's lease expires, or a fetch is
    allowed."""

    answer: Answer
    now: int
    record: KeySetRecord | None = None
    lease: FetchLease | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """Outcome of a write. ``stored``: False if the lease had expired. ``awaited``: nodes wait for the
    announcement."""

    stored: bool
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue: its length, how many key sets are due, and how long the first one has been due."""

    queued: int
    due: int
    late_seconds: float


class KeySetRepository:
    """Operations of nodes on key sets in Redis. Every method raises RedisUnavailableError. ``worker`` names
    this process in its leases. ``seal``: records that no fetcher signed are ignored."""

    def __init__(
        self,
        scripts: Scripts,
        policy: KeySetPolicy,
        worker: str,
        seal: KeySetSeal,
        layout: KeySetLayout | None = None,
    ) -> None:
        self._scripts = _Gate(scripts)
        self._policy = policy
        self._worker = worker
        self._seal = seal
        self._layout = layout or KeySetLayout()
        self._claims = 0

    async def lease(self, queue: Queue, count: int, random: float) -> FetchLeases:
        """Lease up to about ``count`` due key sets, those due longest first."""
        token = self._token()
        arguments: list[Argument] = [self._layout.prefix, HOST_CHARACTERS, token, count]
        arguments += [_ms(self._policy.lease), _ms(self._policy.idle), self._policy.host_concurrency]
        arguments += [_BUSY_HOST_MS, f"{random:.6f}"]
        keys = [self._layout.head, self._queue(queue), self._layout.used]
        epoch, sequence, pause, flat = await self._scripts.run("claim", keys, arguments)
        as_of = Position(int(epoch), int(sequence))
        leases = []
        for i in range(0, len(flat), 4):
            key_set_id, generation, late, value = flat[i : i + 4]
            record = self._readable(as_text(key_set_id), value, request=True)
            if record is not None:
                late_seconds = int(late) / 1000
                name = as_text(key_set_id)
                leases.append(FetchLease(name, token, int(generation), as_of, record, late_seconds))
        return FetchLeases(tuple(leases), int(pause) / 1000 if as_text(pause) else None)

    async def demand(self, address: KeySetAddress, seen: int, need: Need, required: Required) -> DemandReply:
        """Ask for a record newer than generation ``seen``, or for the right to fetch one."""
        if not self._seal.signs:
            return await self._wait_for_others(address, seen)
        token = self._token()
        layout, policy = self._layout, self._policy
        keys = [layout.head, layout.record(address.id), layout.flight(address.id), layout.host(address.id)]
        arguments: list[Argument] = [address.id, seen, need, required.epoch, required.sequence, token]
        arguments += [_ms(policy.lease), *self._allowance(), _ms(policy.spacing)]
        arguments += [_ms(policy.max_demand_backoff), 2 * policy.host_concurrency]
        reply = await self._scripts.run("demand", keys, arguments)
        answer, now = Answer(as_text(reply[0])), int(reply[1])
        if answer is Answer.RECORD:
            record = self._readable(address.id, reply[2])
            if record is None:  # it is unusable, so it is fetched again
                return await self.demand(address, generation_of(reply[2]), need, required)
            return DemandReply(answer, now, record=record)
        if answer is Answer.CLAIMED:
            before = self._readable(address.id, reply[5]) or KeySetRecord.empty(address)
            as_of = Position(int(reply[3]), int(reply[4]))
            return DemandReply(answer, now, lease=FetchLease(address.id, token, int(reply[2]), as_of, before))
        seconds = 0.0 if answer is Answer.BEHIND else int(reply[2]) / 1000
        return DemandReply(answer, now, seconds=seconds)

    async def store(
        self, lease: FetchLease, record: KeySetRecord, *, changed: bool, keep: float, due_in: float
    ) -> Stored:
        """End an attempt. ``keep``: seconds Redis keeps the record; ``due_in``: seconds until it is due
        again."""
        layout = self._layout
        queues = (Queue.RETRIES, Queue.DUE) if record.failures else (Queue.DUE, Queue.RETRIES)
        keys = [layout.record(lease.id), layout.flight(lease.id), layout.host(lease.id)]
        keys += [self._queue(queues[0]), self._queue(queues[1]), layout.used]
        arguments: list[Argument] = [lease.id, lease.token, self._seal.write(record)]
        arguments += [max(1, _ms(keep)), max(0, _ms(due_in)), int(changed), *self._allowance()]
        reply = await self._scripts.run("store", keys, arguments)
        return Stored(as_text(reply[0]) == "stored", len(reply) > 1 and as_text(reply[1]) == "1")

    async def touch(self, used: Iterable[tuple[str, float]]) -> None:
        """Report that clients use these key sets: pairs of id and seconds until the next poll is due."""
        if not self._seal.signs:
            return  # a process that does not fetch leaves the schedule to those that do
        arguments: list[Argument] = []
        for key_set_id, due_in in used:
            arguments += [key_set_id, max(0, _ms(due_in))]
        keys = [self._layout.due, self._layout.retries, self._layout.used]
        await self._scripts.run("touch", keys, arguments)

    async def read(self, ids: Sequence[str]) -> list[KeySetRecord | None]:
        """Read records, in order; None for one that is missing or cannot be read."""
        values = await self._scripts.run("read", [self._layout.record(one) for one in ids], [])
        return [self._readable(one, value) for one, value in zip(ids, values, strict=True)]

    async def refresh(self, address: KeySetAddress) -> tuple[bool, float, int]:
        """Queue a key set for the next free worker.

        Return whether it was queued, else the seconds until that is allowed; and the record's current
        generation. A key set in private networks, or of a trusted issuer, must have been fetched before,
        for a client that a fetcher knows: only that fetch decides which networks it may reach, and whose keys
        they are.
        """
        layout = self._layout
        keys = [layout.record(address.id), layout.flight(address.id)]
        keys += [layout.due, layout.retries, layout.used]
        is_plain = address == KeySetAddress(address.url)
        empty = encode_record(KeySetRecord.empty(address)) if is_plain else b""
        arguments: list[Argument] = [address.id, empty, _ms(self._policy.idle), *self._allowance()]
        answer, wait, generation = await self._scripts.run("refresh", keys, arguments)
        return as_text(answer) == "queued", int(wait) / 1000, int(generation)

    async def depth(self) -> dict[Queue, Depth]:
        """Return the depth of both queues."""
        reply: list[Any] = await self._scripts.run("depth", [self._layout.due, self._layout.retries], [])
        numbers = [int(number) for number in reply]
        return {
            queue: Depth(numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2] / 1000)
            for i, queue in enumerate((Queue.DUE, Queue.RETRIES))
        }

    async def _wait_for_others(self, address: KeySetAddress, seen: int) -> DemandReply:
        """Return what others have fetched by now, in a process that does not fetch."""
        [record] = await self.read([address.id])
        if record is not None and record.generation > seen:
            return DemandReply(Answer.RECORD, record.generation, record=record)
        return DemandReply(Answer.WAIT, 0, seconds=_OTHERS_SECONDS)

    def _readable(self, key_set_id: str, value: Any, *, request: bool = False) -> KeySetRecord | None:
        if not value:
            return None
        read = self._seal.read_request if request else self._seal.read
        try:
            return read(key_set_id, bytes(value))
        except UnsignedError as error:
            if request_in(key_set_id, bytes(value)) is None:
                _note_broken(error)
        except (KeySetRecordError, ForgedError) as error:
            _note_broken(error)
        return None

    def _queue(self, queue: Queue) -> str:
        return self._layout.due if queue is Queue.DUE else self._layout.retries

    def _allowance(self) -> tuple[int, int]:
        return _ms(self._policy.min_interval), self._policy.demand_burst

    def _token(self) -> str:
        self._claims += 1
        return f"{self._worker}:{self._claims}"


class _Gate:
    """Limits concurrent scripts. Hundreds of attempts may end at once, and a Redis client without a free
    connection refuses instead of waiting. The rest of the process keeps its share."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._turn = asyncio.Semaphore(_SCRIPTS_AT_ONCE)

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        async with self._turn:
            return await self._scripts.run(name, keys, arguments)


def _note_broken(error: KeyturnError) -> None:
    _log.warning("key_set_record_broken", code=error.code, error=error.detail)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
