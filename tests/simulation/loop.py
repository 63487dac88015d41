"""An event loop in virtual time. What runs when depends on nothing but what was asked of it."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from tests.simulation.process import PROCESS


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks in the order they became due. Time jumps to the next timer when nothing is ready.

    Every callback belongs to the process in whose context it was scheduled. Those of a stopped process are
    kept until it goes on, those of a dead one are dropped: a process can be stopped or die at every await.
    ``tasks``: all there ever were. ``errors``: of callbacks, which should not raise.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._now = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.Handle]] = []
        self._order = itertools.count()

    def time(self) -> float:
        return self._now

    def run(self, until: float) -> None:
        """Run everything that is due up to that time."""
        previous = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            self._run_ready()
            while self._timers and self._timers[0][0] <= until:
                when, _, handle = heapq.heappop(self._timers)
                if not handle.cancelled():
                    self._now = max(self._now, when)
                    self._ready.append(handle)
                    self._run_ready()
            self._now = max(self._now, until)
        finally:
            asyncio._set_running_loop(previous)

    def _run_ready(self) -> None:
        ready = self._ready
        while ready:
            handle = ready.popleft()
            if handle._cancelled:  # type: ignore[attr-defined]
                continue
            process = handle._context.get(PROCESS)  # type: ignore[attr-defined]
            if process is not None and not process.running:
                process.hold(handle)
                continue
            handle._run()

    def resume(self, handles: list[asyncio.Handle]) -> None:
        """Run what was held back."""
        self._ready.extend(handles)

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A callback that raises is a mistake somewhere; a task nobody waited for is not."""
        message = str(context.get("message"))
        if message.startswith("Exception in callback"):
            self.errors.append(f"{message}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False
