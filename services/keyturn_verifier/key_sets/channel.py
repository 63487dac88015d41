"""The key sets in Redis: records, queues and claims. Every step is one Lua script."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

import structlog

from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Argument, Scripts
from keyturn_shared.key_sets.address import HOST_CHARACTERS, KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import (
    KeySetRecord,
    KeySetRecordError,
    Required,
    decode_record,
    encode_record,
    generation_of,
)
from keyturn_shared.position import Position
from keyturn_verifier.key_sets.policy import KeySetPolicy

SCRIPTS_PACKAGE: Final = "keyturn_verifier.key_sets"
"""Where ``RedisScripts`` finds the scripts of this channel."""

_BUSY_HOST_MS: Final = 1000
_SCRIPTS_AT_ONCE: Final = 16

_log = structlog.get_logger(__name__)

Need = Literal["keys", "kid"]
"""What a request lacks: keys it may use at all, or one with its kid among them."""


class Queue(StrEnum):
    """The queue of key sets in good order, and the one of those whose last attempt failed."""

    DUE = "due"
    RETRIES = "retries"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one attempt, until the claim runs out. ``record``: as it is before the attempt.
    ``late_seconds``: how long it was due, for polls."""

    id: str
    token: str
    generation: int
    as_of: Position
    record: KeySetRecord
    late_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Claims:
    """What was due. ``pause``: seconds until the next is, None when the queue is empty."""

    claims: tuple[Claim, ...]
    pause: float | None


class Answer(StrEnum):
    """How a demand was answered: a newer RECORD is there; CLAIMED by the asker; FLYING, somebody fetches now;
    WAIT, no fetch is allowed yet; BEHIND, this Redis knows less of the event log than the node."""

    RECORD = "record"
    CLAIMED = "claimed"
    FLYING = "flying"
    WAIT = "wait"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class DemandReply:
    """``now``: ms of Redis' clock. ``seconds``: until a flight's claim ends, or until a fetch is allowed."""

    answer: Answer
    now: int
    record: KeySetRecord | None = None
    claim: Claim | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """Whether the record was stored (else the claim had run out), and whether nodes wait to hear of it."""

    stored: bool
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue: its length, how many are due, and for how long the first one has been."""

    queued: int
    due: int
    late_seconds: float


class KeySetChannel:
    """What nodes do to key sets in Redis. ``worker`` names this process in its claims. Every method raises
    RedisUnavailableError."""

    def __init__(
        self, scripts: Scripts, policy: KeySetPolicy, worker: str, layout: KeySetLayout | None = None
    ) -> None:
        self._scripts = _Gate(scripts)
        self._policy = policy
        self._worker = worker
        self._layout = layout or KeySetLayout()
        self._claims = 0

    async def claim(self, queue: Queue, count: int, random: float) -> Claims:
        """Claim up to about ``count`` key sets that are due, the longest due first."""
        token = self._token()
        arguments: list[Argument] = [self._layout.prefix, HOST_CHARACTERS, token, count]
        arguments += [_ms(self._policy.claim), _ms(self._policy.idle), self._policy.host_concurrency]
        arguments += [_BUSY_HOST_MS, f"{random:.6f}"]
        keys = [self._layout.head, self._queue(queue), self._layout.used]
        epoch, sequence, pause, flat = await self._scripts.run("claim", keys, arguments)
        as_of = Position(int(epoch), int(sequence))
        claims = []
        for i in range(0, len(flat), 4):
            key_set_id, generation, late, value = flat[i : i + 4]
            record = _readable(value)
            if record is not None:
                claim = Claim(as_text(key_set_id), token, int(generation), as_of, record, int(late) / 1000)
                claims.append(claim)
        return Claims(tuple(claims), int(pause) / 1000 if as_text(pause) else None)

    async def demand(self, address: KeySetAddress, seen: int, need: Need, required: Required) -> DemandReply:
        """Ask for a record newer than generation ``seen``, or for the right to fetch one."""
        token = self._token()
        layout, policy = self._layout, self._policy
        keys = [layout.head, layout.record(address.id), layout.flight(address.id), layout.host(address.id)]
        arguments: list[Argument] = [address.id, seen, need, required.epoch, required.sequence, token]
        arguments += [_ms(policy.claim), *self._allowance(), _ms(policy.spacing)]
        arguments += [_ms(policy.max_demand_backoff), 2 * policy.host_concurrency]
        reply = await self._scripts.run("demand", keys, arguments)
        answer, now = Answer(as_text(reply[0])), int(reply[1])
        if answer is Answer.RECORD:
            record = _readable(reply[2])
            if record is None:  # nobody can use it, so it is fetched anew
                return await self.demand(address, generation_of(reply[2]), need, required)
            return DemandReply(answer, now, record=record)
        if answer is Answer.CLAIMED:
            before = _readable(reply[5]) or KeySetRecord(url=address.url, networks=address.networks)
            as_of = Position(int(reply[3]), int(reply[4]))
            return DemandReply(answer, now, claim=Claim(address.id, token, int(reply[2]), as_of, before))
        seconds = 0.0 if answer is Answer.BEHIND else int(reply[2]) / 1000
        return DemandReply(answer, now, seconds=seconds)

    async def store(
        self, claim: Claim, record: KeySetRecord, *, changed: bool, keep: float, due_in: float
    ) -> Stored:
        """End an attempt. Seconds: how long Redis keeps the record, and when it is due again."""
        layout = self._layout
        queues = (Queue.RETRIES, Queue.DUE) if record.failures else (Queue.DUE, Queue.RETRIES)
        keys = [layout.record(claim.id), layout.flight(claim.id), layout.host(claim.id)]
        keys += [self._queue(queues[0]), self._queue(queues[1]), layout.used]
        arguments: list[Argument] = [claim.id, claim.token, encode_record(record)]
        arguments += [max(1, _ms(keep)), max(0, _ms(due_in)), int(changed), *self._allowance()]
        reply = await self._scripts.run("store", keys, arguments)
        return Stored(as_text(reply[0]) == "stored", len(reply) > 1 and as_text(reply[1]) == "1")

    async def touch(self, used: Iterable[tuple[str, float]]) -> None:
        """Say that clients use these: pairs of id and seconds until the next poll is due."""
        arguments: list[Argument] = []
        for key_set_id, due_in in used:
            arguments += [key_set_id, max(0, _ms(due_in))]
        keys = [self._layout.due, self._layout.retries, self._layout.used]
        await self._scripts.run("touch", keys, arguments)

    async def read(self, ids: Sequence[str]) -> list[KeySetRecord | None]:
        """The records, in order; None for one that is not there or cannot be read."""
        values = await self._scripts.run("read", [self._layout.record(one) for one in ids], [])
        return [_readable(value) for value in values]

    async def refresh(self, address: KeySetAddress) -> tuple[bool, float, int]:
        """Have it fetched by the next free worker: whether it will be, else the seconds until that is
        allowed; and the generation of the record as it is now."""
        layout = self._layout
        keys = [layout.record(address.id), layout.flight(address.id)]
        keys += [layout.due, layout.retries, layout.used]
        empty = encode_record(KeySetRecord(url=address.url, networks=address.networks))
        arguments: list[Argument] = [address.id, empty, _ms(self._policy.idle), *self._allowance()]
        answer, wait, generation = await self._scripts.run("refresh", keys, arguments)
        return as_text(answer) == "queued", int(wait) / 1000, int(generation)

    async def depth(self) -> dict[Queue, Depth]:
        """Both queues as they are now."""
        reply: list[Any] = await self._scripts.run("depth", [self._layout.due, self._layout.retries], [])
        numbers = [int(number) for number in reply]
        return {
            queue: Depth(numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2] / 1000)
            for i, queue in enumerate((Queue.DUE, Queue.RETRIES))
        }

    def _queue(self, queue: Queue) -> str:
        return self._layout.due if queue is Queue.DUE else self._layout.retries

    def _allowance(self) -> tuple[int, int]:
        return _ms(self._policy.min_interval), self._policy.demand_burst

    def _token(self) -> str:
        self._claims += 1
        return f"{self._worker}:{self._claims}"


class _Gate:
    """Runs few scripts at a time: hundreds of attempts end at once, and a client of Redis that runs out of
    connections refuses instead of waiting. What others of the process ask keeps its share."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._turn = asyncio.Semaphore(_SCRIPTS_AT_ONCE)

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        async with self._turn:
            return await self._scripts.run(name, keys, arguments)


def _readable(value: Any) -> KeySetRecord | None:
    if not value:
        return None
    try:
        return decode_record(bytes(value))
    except KeySetRecordError as error:
        _log.warning("key_set_record_broken", error=error.detail)
        return None


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
