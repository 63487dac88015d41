"""A loop that survives the errors of its backend."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from keyturn_shared.errors import KeyturnError
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.tasks import end_tasks

_log = structlog.get_logger(__name__)


class SupervisedTask:
    """Runs rounds of ``work``, one after the other, as a task of this ``name``.

    A round returns the seconds to pause before the next one; one that follows a stream may never return. When
    a round raises, the next one follows after a pause by ``backoff``, and ``failed`` is called. Failures
    further apart than the longest pause do not count as consecutive. Only two things end the task:
    cancellation, and a round that returns None, which only ``finite`` work should do.

    ``on_end`` gets the reason why a task ended that should run; a Supervisor sets it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[float | None]],
        *,
        elapsed: Callable[[], float],
        backoff: Backoff = Backoff(),  # noqa: B008 - immutable
        finite: bool = False,
        failed: Callable[[Exception], None] = lambda error: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.runs = 0
        self.failures = 0
        self.last_error: str | None = None
        """Code or type of the newest round's error; None if it succeeded."""
        self.on_end: Callable[[SupervisedTask, str], None] = lambda task, reason: None
        self._work = work
        self._backoff = backoff
        self._finite = finite
        self._failed = failed
        self._elapsed = elapsed
        self._sleep = sleep
        self._jitter = jitter
        self._succeeded_at: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def running(self) -> bool:
        """True if it runs, or has finished its finite work."""
        if self._task is None:
            return False
        return not self._task.done() or self._has_done_its_work(self._task)

    @property
    def seconds_since_success(self) -> float | None:
        """Seconds since the last successful round; None before the first."""
        return None if self._succeeded_at is None else self._elapsed() - self._succeeded_at

    async def start(self) -> None:
        self._stopping = False
        self._task = asyncio.create_task(self.run(), name=self.name)
        self._task.add_done_callback(self._note_end)

    async def stop(self) -> None:
        """Cancel the task, and wait until it has ended."""
        self._stopping = True
        await end_tasks(self._task)
        self._task = None

    async def run(self) -> None:
        """Run rounds until one returns None."""
        in_a_row = 0
        while True:
            begun = self._elapsed()
            try:
                pause = await self._work()
            except Exception as error:  # noqa: BLE001 - the one place that decides what may end a loop
                in_a_row = 1 if self._elapsed() - begun > self._backoff.longest else in_a_row + 1
                self._note_failure(error)
                pause = self._backoff.seconds(in_a_row, self._jitter())
            else:
                in_a_row = 0
                self._note_success()
            if pause is None:
                return
            await self._sleep(pause)

    def _note_success(self) -> None:
        if self.last_error is not None:
            _log.info("task_recovered", task=self.name, error=self.last_error)
        self.runs += 1
        self.last_error = None
        self._succeeded_at = self._elapsed()

    def _note_failure(self, error: Exception) -> None:
        expected = isinstance(error, KeyturnError)
        code = error.code if isinstance(error, KeyturnError) else type(error).__name__
        if code != self.last_error:  # logged once, not at every attempt of an outage
            _log.warning("task_failed", task=self.name, error=repr(error), exc_info=not expected)
        self.failures += 1
        self.last_error = code
        self._failed(error)

    def _has_done_its_work(self, task: asyncio.Task[None]) -> bool:
        return self._finite and not task.cancelled() and task.exception() is None

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if self._stopping or self._has_done_its_work(task):
            return
        self.on_end(self, "cancelled" if task.cancelled() else repr(task.exception() or "returned"))
