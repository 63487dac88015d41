"""The relay's care for the partitions of used assertions: an epoch of its own for each Redis process."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from keyturn_credentials.relay.claimants import KEEP_SECONDS, ClaimantKeeper
from keyturn_credentials.relay.event_log import EventLog, FleetState
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.reconciliation import next_epoch
from keyturn_credentials.relay.relay import Relay
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.partitions import LOG_PARTITION
from keyturn_shared.fleet.relay_channel import Look, RelayChannel
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

INSPECT_SECONDS: Final = 1.0
_ROUND_SECONDS: Final = 5.0
_FORGET_NODES_AFTER_SECONDS: Final = 600.0
_BACKOFF: Final = Backoff(longest=0.4)
_NO_EVENT: Final = b""

_log = structlog.get_logger(__name__)


class PartitionKeeper:
    """Keeps one partition: vouches for its Redis process, admits the nodes that mark assertions there, and
    lowers its replay barrier once they have brought their memory.

    It is the protocol of the event log's partition, without a log: a partition has nothing that is written
    but marks, so a lost one is opened again at once, and costs only its own marks.
    """

    def __init__(
        self,
        partition: int,
        log: EventLog,
        channel: RelayChannel,
        clock: Clock,
        metrics: RelayMetrics,
        *,
        holder: str,
    ) -> None:
        self.partition = partition
        self._log = log
        self._channel = channel
        self._clock = clock
        self._metrics = metrics
        self._claimants = ClaimantKeeper(channel, holder, clock.elapsed)
        self._leadership = -1
        self._epoch: int | None = None
        self._inspect_at = float("-inf")
        self.is_vouched = False
        """True if this relay vouched for its Redis process when it last looked."""

    async def tend(self, leadership: int) -> None:
        """Do what is due. ``leadership``: a number that changes whenever another relay may have led. Raises
        RedisUnavailableError and the store's errors."""
        if leadership != self._leadership:
            self._claimants.forget()
            self._leadership, self._inspect_at = leadership, float("-inf")
        if self._clock.elapsed() >= self._inspect_at:
            await self._inspect()
            self._inspect_at = self._clock.elapsed() + INSPECT_SECONDS
        if not await self._claimants.keep_when_due():
            self._inspect_at = float("-inf")

    def rest(self) -> None:
        """Note that another instance relays."""
        self._leadership, self.is_vouched = -1, False
        with suppress(KeyError):
            self._metrics.partitions.remove(str(self.partition))

    async def _inspect(self) -> None:
        seen = await self._channel.look()
        epoch = await self._log.partition_epoch(self.partition)
        if epoch != self._epoch:
            if self._epoch is not None:
                self._claimants.forget()  # another relay has opened one, although by our clock we lead
            self._epoch = epoch
        head = seen.head
        self.is_vouched = head is not None and head.trusted and head.position.epoch == epoch
        if self.is_vouched and (loss := await self._channel.find_loss(epoch)):
            _log.error(loss, partition=self.partition, epoch=epoch)
            self.is_vouched = False
        if not self.is_vouched:
            self._metrics.partitions.labels(str(self.partition)).set(False)
            self.is_vouched = await self._open(seen, epoch)
        self._metrics.partitions.labels(str(self.partition)).set(self.is_vouched)
        await self._channel.sweep_nodes(_FORGET_NODES_AFTER_SECONDS)

    async def _open(self, seen: Look, known: int) -> bool:
        """Open a new epoch. Return False if another relay has done so."""
        newest = await self._channel.newest_epoch()
        epoch = next_epoch(FleetState(known), newest, self._clock.now())
        if not await self._log.replace_partition_epoch(self.partition, known, epoch):
            return False
        self._epoch = epoch
        opened = await self._channel.open_epoch(
            epoch,
            0,
            "",
            _NO_EVENT,
            seen=seen,
            closed_nonce=None,
            fresh=known == 0 and newest == 0,
            statement=b"",
            claimants=self._claimants.known,
        )
        if opened:
            _log.info("partition_epoch_opened", partition=self.partition, epoch=epoch)
        return opened


class Partitions:
    """All partitions that are in use, apart from that of the event log, each with a task of its own: one
    whose Redis does not answer delays no other one."""

    def __init__(
        self,
        make: Callable[[int], PartitionKeeper],
        relay: Relay,
        *,
        elapsed: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._make = make
        self._relay = relay
        self._elapsed = elapsed
        self._jitter = jitter
        self._tasks: dict[int, SupervisedTask] = {}

    async def follow(self) -> None:
        """Tend the partitions that the relay knows of, and no others any more."""
        numbers = self._relay.repartitioning.tended.all - {LOG_PARTITION}
        for number in self._tasks.keys() - numbers:
            await self._tasks.pop(number).stop()
            self._relay.repartitioning.vouched.discard(number)
        for number in sorted(numbers - self._tasks.keys()):
            self._tasks[number] = task = self._task_of(self._make(number))
            await task.start()

    async def stop(self) -> None:
        for task in self._tasks.values():
            await task.stop()
        self._tasks.clear()

    def _task_of(self, keeper: PartitionKeeper) -> SupervisedTask:
        async def tend() -> float:
            if self._relay.leads:
                async with asyncio.timeout(_ROUND_SECONDS):
                    await keeper.tend(self._relay.leadership)
            else:
                keeper.rest()
            self._note(keeper)
            return KEEP_SECONDS

        def failed(_: Exception) -> None:
            self._relay.repartitioning.vouched.discard(keeper.partition)

        return SupervisedTask(
            f"partition-{keeper.partition}",
            tend,
            backoff=_BACKOFF,
            failed=failed,
            elapsed=self._elapsed,
            jitter=self._jitter,
        )

    def _note(self, keeper: PartitionKeeper) -> None:
        if keeper.is_vouched:
            self._relay.repartitioning.vouched.add(keeper.partition)
        else:
            self._relay.repartitioning.vouched.discard(keeper.partition)
