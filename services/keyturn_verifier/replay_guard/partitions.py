"""This node's part in the partitions of used assertions."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from keyturn_shared.errors import KeyturnError, RedisUnavailableError
from keyturn_shared.fleet.claimants import RETURNED_TO
from keyturn_shared.fleet.membership import MembershipChannel, MembershipStatus
from keyturn_shared.fleet.partitions import (
    KEPT,
    LOG_PARTITION,
    ONE_PARTITION,
    PARTITIONING,
    REMEMBERS,
    Partitioning,
)
from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.jose import strict_json
from keyturn_shared.oauth.errors import ReplayedError
from keyturn_shared.position import Position
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_shared.tasks import wait_for_event
from keyturn_verifier.replay_guard.guard import ReplayGuard
from keyturn_verifier.replay_guard.restoration import ReplayReturn

_UNTRUSTED_SECONDS: Final = 0.2
_LEAVE_SECONDS: Final = 2.0


class Partition:
    """One partition beside that of the event log: this node's record there, its guard, and its memory, which
    is brought back to each new Redis process.

    The record says that the node lives and what it has brought; leases are granted by the event log's
    partition alone. ``guard`` and ``memory_return`` are those of this partition, and ``memory_return`` calls
    ``report`` when it has brought everything.
    """

    def __init__(
        self,
        number: int,
        channel: MembershipChannel,
        guard: ReplayGuard,
        make_return: Callable[[Callable[[], None]], ReplayReturn],
        *,
        elapsed: Callable[[], float],
        renewal_seconds: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.guard = guard
        self._channel = channel
        self._renewal_seconds = renewal_seconds
        self._epoch = 0
        self._wanted = asyncio.Event()
        self._pause = 0.0
        self._return = make_return(self._wanted.set)
        self._tasks = (
            SupervisedTask(
                f"partition-{number}",
                self._renew,
                backoff=Backoff(longest=min(0.8, renewal_seconds)),
                elapsed=elapsed,
                jitter=jitter,
            ),
            self._return.task,
        )

    async def start(self) -> None:
        for task in self._tasks:
            await task.start()

    async def stop(self) -> None:
        """Stop marking, and leave. Call it after the last answer."""
        for task in self._tasks:
            await task.stop()
        await self.guard.close()
        with suppress(KeyturnError, TimeoutError):  # the record expires by itself
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._channel.leave()

    async def _renew(self) -> float:
        await wait_for_event(self._wanted, self._pause)
        self._pause = 0.0
        self._wanted.clear()
        details = strict_json.encode({RETURNED_TO: self._return.returned_to}).decode()
        renewal = await self._channel.renew(Position(self._epoch, 0), details)
        if renewal.status is not MembershipStatus.RENEWED or renewal.head is None:
            self._pause = _UNTRUSTED_SECONDS
            return 0.0
        if renewal.head.epoch < self._epoch:  # a former primary; or the relay opens a newer one soon
            self._pause = _UNTRUSTED_SECONDS
            return 0.0
        if renewal.head.epoch > self._epoch:
            self._epoch = renewal.head.epoch
            self._return.moved(renewal.head)
        self._pause = self._renewal_seconds
        return 0.0


class PartitionedGuard:
    """Marks each assertion in its partitions, and accepts it only if it was unused in all of them.

    ``first``: the guard of the event log's partition. ``make`` builds the part of this node in another one.
    ``remembers``: the longest time in seconds for which an assertion is remembered. For so long after a new
    epoch, partitions of the epoch before are used as well: the database may have been restored to a state
    before they were introduced.
    """

    def __init__(
        self,
        first: ReplayGuard,
        make: Callable[[int], Partition],
        *,
        elapsed: Callable[[], float],
        remembers: float,
    ) -> None:
        self.partitioning = ONE_PARTITION
        self.remembers = remembers
        self._elapsed = elapsed
        self._stated: Partitioning | None = None
        self._epoch = 0
        self._kept: Partitioning | None = None
        self._kept_until = 0.0
        self._first = first
        self._make = make
        self._partitions: dict[int, Partition] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def details(self) -> dict[str, object]:
        """Details of this node that the relay needs to change the number of partitions."""
        kept = {} if self._kept is None else {KEPT: str(self._kept)}
        return {PARTITIONING: str(self.partitioning), REMEMBERS: self.remembers, **kept}

    async def apply(self, stated: Partitioning, epoch: int) -> None:
        """Mark by this partitioning from now on, which the relay has stated in this epoch. Call it before
        anything is answered that depends on it."""
        partitioning = self._with_kept(stated, epoch)
        if partitioning == self.partitioning:
            return
        for number in sorted(partitioning.all - self._partitions.keys() - {LOG_PARTITION}):
            self._partitions[number] = partition = self._make(number)
            await partition.start()
        self.partitioning = partitioning
        for number in self._partitions.keys() - partitioning.all:
            leaving = asyncio.create_task(
                self._partitions.pop(number).stop(), name=f"leave-partition-{number}"
            )
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    def _with_kept(self, stated: Partitioning, epoch: int) -> Partitioning:
        now, former = self._elapsed(), self._stated
        if former is not None and epoch != self._epoch and not set(former.counts) <= set(stated.counts):
            self._kept, self._kept_until = self.partitioning, now + self.remembers
        elif now >= self._kept_until:
            self._kept = None
        self._stated, self._epoch = stated, epoch
        return stated if self._kept is None else stated.joined_by(self._kept.counts)

    async def mark_used(self, use: AssertionUse) -> None:
        """Mark one assertion as used. Raises ReplayedError, BeforeReplayBarrierError,
        RedisUnavailableError."""
        numbers = self.partitioning.of(use.jti)
        if len(numbers) == 1:
            await self._guard(numbers[0]).mark_used(use)
            return
        guards = [self._guard(number) for number in numbers]
        outcomes = await asyncio.gather(*(each.mark_used(use) for each in guards), return_exceptions=True)
        refusals = [each for each in outcomes if isinstance(each, BaseException)]
        for refusal in sorted(refusals, key=lambda each: not isinstance(each, ReplayedError)):
            raise refusal

    async def close(self) -> None:
        """Stop marking assertions, and leave the partitions."""
        await asyncio.gather(*(each.stop() for each in self._partitions.values()), *self._leaving)
        await self._first.close()

    def _guard(self, number: int) -> ReplayGuard:
        if number == LOG_PARTITION:
            return self._first
        partition = self._partitions.get(number)
        if partition is None:
            raise RedisUnavailableError("this node has left the assertion's partition")
        return partition.guard
