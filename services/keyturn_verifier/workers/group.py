"""Keeps a node's workers running: starts them, starts them again, and replaces them one by one."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from keyturn_shared.tasks import end_tasks
from keyturn_verifier.workers.records import Kind
from keyturn_verifier.workers.restarts import GIVE_UP_AFTER, Restarts
from keyturn_verifier.workers.retirement import RETIRE_SECONDS
from keyturn_verifier.workers.worker_process import WorkerProcess

_FAREWELL_SECONDS: Final = 8.0
"""Seconds beyond its drain that a worker has to leave the fleet and close its clients."""
CHECK_SECONDS: Final = 1.0
"""Seconds between two checks whether a worker hangs."""
_REFUSED: Final = 2
"""Exit code of a process whose configuration is unusable. It has said why."""

_log = structlog.get_logger(__name__)


class WorkersFailedError(Exception):
    """No worker has ever served. ``exit_code``: the one for the node."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass
class Slot:
    """A place for a worker. ``restarts``: times that one was started after another had ended."""

    number: int
    current: WorkerProcess | None = None
    restarts: int = 0
    policy: Restarts = field(default_factory=Restarts)


class WorkerGroup:
    """The workers of a node. ``start``: starts one in a slot. ``drain_seconds``: the time that current
    requests have in a worker that is stopped."""

    def __init__(
        self,
        count: int,
        start: Callable[[int], Awaitable[WorkerProcess]],
        *,
        drain_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._start = start
        self._sleep = sleep
        self._patience = drain_seconds + _FAREWELL_SECONDS
        self._alive: set[WorkerProcess] = set()
        self._stopped = asyncio.Event()
        self._served = asyncio.Event()
        self._rolling: asyncio.Task[None] | None = None
        self._rolls_again = False
        self._leaving: set[asyncio.Task[None]] = set()
        self.slots: Final = [Slot(number) for number in range(count)]
        self.rolls = {"done": 0, "abandoned": 0}

    def serving(self) -> list[WorkerProcess]:
        """Return the workers that can be given connections."""
        return [slot.current for slot in self.slots if slot.current is not None and slot.current.is_serving]

    async def run(self) -> None:
        """Keep a worker in each slot until ``stop``, and return when all have ended. Raises
        WorkersFailedError."""
        keeping = [asyncio.create_task(self._keep(slot)) for slot in self.slots]
        stopped = asyncio.create_task(self._stopped.wait())
        checking = asyncio.create_task(self._kill_hanging())
        try:
            await asyncio.wait([*keeping, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in keeping:
                if task.done() and not task.cancelled():
                    task.result()
        finally:
            await end_tasks(*keeping, stopped, checking, self._rolling, *self._leaving)
            await self._end_all()

    def stop(self) -> None:
        """Stop all workers; a second call stops them without waiting for requests."""
        if self._stopped.is_set():
            for worker in self._alive:
                worker.tell(Kind.STOP)
        self._stopped.set()

    def roll(self) -> None:
        """Replace the workers one by one. If that is under way, do it once more afterwards."""
        if self._rolling is not None and not self._rolling.done():
            self._rolls_again = True
        elif not self._stopped.is_set():
            self._rolling = asyncio.create_task(self._roll_until_done())

    async def _keep(self, slot: Slot) -> None:
        if slot.number:
            await self._served.wait()  # a node that cannot start says so once
        while True:
            worker = slot.current or await self._launch(slot.number)
            if worker is None:
                await self._sleep(slot.policy.pause_after(0.0))
                continue
            slot.current = worker
            await worker.up.wait()
            if not worker.ended.is_set():
                self._served.set()
            await worker.gone.wait()
            if slot.current is not worker:
                continue  # it was replaced
            slot.current = None
            self._see_off(worker)
            await self._restart(slot, worker)

    async def _kill_hanging(self) -> None:
        while True:
            await self._sleep(CHECK_SECONDS)
            for worker in self._alive:
                if not worker.ended.is_set() and worker.check():
                    _log.error("worker_hangs", worker=worker.slot, pid=worker.pid)
                    worker.kill()

    async def _restart(self, slot: Slot, former: WorkerProcess) -> None:
        lasted = asyncio.get_running_loop().time() - former.started_at
        pause = slot.policy.pause_after(lasted, random.random())  # noqa: S311 - nobody gains by guessing it
        if not self._served.is_set():
            await former.ended.wait()
            if former.exit_code == _REFUSED:
                raise WorkersFailedError(_REFUSED)
            if slot.policy.failures >= GIVE_UP_AFTER:
                _log.error("workers_never_served", attempts=GIVE_UP_AFTER, exit_code=former.exit_code)
                raise WorkersFailedError(1)
        _log.warning(
            "worker_gone", worker=slot.number, pid=former.pid, exit_code=former.exit_code, again_in=pause
        )
        await self._sleep(pause)
        slot.restarts += 1

    async def _roll_until_done(self) -> None:
        self._rolls_again = True
        while self._rolls_again:
            self._rolls_again = False
            is_done = await self._roll()
            self.rolls["done" if is_done else "abandoned"] += 1
            _log.info("workers_replaced" if is_done else "replacement_failed")

    async def _roll(self) -> bool:
        """Replace each worker. Return False if a replacement ended before it was ready; the worker that it
        was for stays."""
        for slot in self.slots:
            if slot.current is None:
                continue  # it is being started again, with the new files
            replacement = await self._launch(slot.number)
            if replacement is None or not await _becomes_ready(replacement):
                return False
            former, slot.current = slot.current, replacement
            if former is not None:
                former.retire()
                await former.wait(RETIRE_SECONDS + self._patience)
        return True

    def _see_off(self, worker: WorkerProcess) -> None:
        task = asyncio.create_task(worker.wait(RETIRE_SECONDS + self._patience))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _launch(self, number: int) -> WorkerProcess | None:
        """Start a process. Return None if the system does not allow it."""
        try:
            worker = await self._start(number)
        except OSError as error:
            _log.error("worker_not_started", worker=number, reason=error.strerror)
            return None
        self._alive = {each for each in self._alive if not each.ended.is_set()} | {worker}
        return worker

    async def _end_all(self) -> None:
        alive = [worker for worker in self._alive if not worker.ended.is_set()]
        for worker in alive:
            worker.tell(Kind.STOP)
        await asyncio.gather(*(worker.wait(self._patience) for worker in alive))


async def _becomes_ready(worker: WorkerProcess) -> bool:
    await worker.ready.wait()
    return not worker.ended.is_set()
