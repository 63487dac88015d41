"""Copies this node's record of used assertions to each new Redis."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replay import AssertionRegistry
from keyturn_shared.position import Position
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_shared.tasks import wait_for_event
from keyturn_verifier.replay_guard.memory import ReplayMemory

_BATCH: Final = 500
_BACKOFF: Final = Backoff(longest=0.4)

_log = structlog.get_logger(__name__)


class ReplayReturn:
    """Copies all marks of earlier epochs to each new epoch, as a task, and then calls ``returned``.

    While Redis does not answer, the task retries soon, and at once in a newer epoch. Assertions are refused
    until it succeeds. Once every node has done so, the relay again allows assertions issued before the loss.
    """

    def __init__(
        self,
        registry: AssertionRegistry,
        memory: ReplayMemory,
        returned: Callable[[], None],
        *,
        elapsed: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._registry = registry
        self._memory = memory
        self._returned = returned
        self._wanted = 0
        self._moved = asyncio.Event()
        self.returned_to = 0
        self.task: Final = SupervisedTask(
            "replay-return",
            self._return_to_newest,
            elapsed=elapsed,
            backoff=_BACKOFF,
            sleep=lambda seconds: wait_for_event(self._moved, seconds),
            jitter=jitter,
        )

    def moved(self, position: Position) -> None:
        """Note that the node has reached this position."""
        if position.epoch != self._wanted:
            self._wanted = position.epoch
            self._moved.set()

    async def bring(self, epoch: int) -> None:
        """Copy all marks to the Redis of that epoch. Raises RedisUnavailableError."""
        marks = self._memory.begin_return(epoch)
        for at in range(0, len(marks), _BATCH):
            if not await self._registry.restore_marks(epoch, marks[at : at + _BATCH]):
                raise RedisUnavailableError("the epoch has changed")
        if not self._memory.whole:
            _log.warning("replay_memory_incomplete", epoch=epoch, brought=len(marks))
            await self._moved.wait()
            return
        self.returned_to = epoch
        if marks:
            _log.info("replay_memory_returned", epoch=epoch, marks=len(marks))
        self._returned()

    async def _return_to_newest(self) -> float:
        if self.returned_to == self._wanted:
            await self._moved.wait()
        self._moved.clear()
        await self.bring(self._wanted)
        return 0.0
