"""An event loop in virtual time, whose order of execution depends only on its input."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from heapq import heappop, heappush
from typing import Any, Self, TypeVar, TypeVarTuple

from tests.testkit.simulated_process import PROCESS


class _Callback(asyncio.TimerHandle):
    """A callback with only the attributes used here: a run makes thousands."""

    __slots__ = ("arguments", "cancels", "due", "function", "within")

    def __init__(
        self, due: float, function: Callable[..., object], arguments: tuple[Any, ...], within: Context | None
    ) -> None:
        # Attributes of the base class are neither set nor used.
        self.due = due
        self.function = function
        self.arguments = arguments
        self.within = copy_context() if within is None else within
        self.cancels = False

    def cancel(self) -> None:
        """Cancel: it is skipped at its turn, and keeps nothing alive until then."""
        self.cancels = True
        self.function, self.arguments = _nothing, ()

    def cancelled(self) -> bool:
        return self.cancels

    def when(self) -> float:
        return self.due

    def __repr__(self) -> str:
        return f"<{self.function!r} at {self.due:.4f}>"


def _nothing() -> None:
    """Stand for a cancelled callback."""


T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks in the order they became due. Time jumps to the next timer when nothing is ready.

    Every callback belongs to the process in whose context it was scheduled. Those of a stopped process are
    kept until it continues, those of a dead one are dropped: a process can be stopped or die at every await.
    ``tasks``: all there ever were. ``errors``: of callbacks, which should not raise.
    """

    @classmethod
    def create(cls) -> Self:
        """A loop at time 0. Without sockets, processes and signals: these methods stay abstract."""
        return cls()

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._now = 0.0
        self._ready: deque[_Callback] = deque()
        self._timers: list[tuple[float, int, _Callback]] = []
        self._count = 0

    def time(self) -> float:
        return self._now

    def run(self, until: float) -> None:
        """Run everything that is due up to that time."""
        previous = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        timers, ready = self._timers, self._ready
        try:
            self._run_ready()
            while timers and timers[0][0] <= until:
                when, _, callback = heappop(timers)
                if not callback.cancels:
                    self._now = max(self._now, when)
                    ready.append(callback)
                    self._run_ready()
            self._now = max(self._now, until)
        finally:
            asyncio._set_running_loop(previous)

    def _run_ready(self) -> None:
        ready = self._ready
        while ready:
            callback = ready.popleft()
            if callback.cancels:
                continue
            process = callback.within.get(PROCESS)
            if process is not None and not process.running:
                process.hold(callback)
                continue
            try:
                callback.within.run(callback.function, *callback.arguments)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - any error is a mistake to report
                self.errors.append(f"{callback.function!r} raised {error!r}")

    def resume(self, callbacks: list[_Callback]) -> None:
        """Run what was held back."""
        self._ready.extend(callbacks)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        soon = _Callback(self._now, callback, args, context)
        self._ready.append(soon)
        return soon

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        when = self._now + delay
        self._count += 1
        later = _Callback(when, callback, args, context)
        heappush(self._timers, (when, self._count, later))
        return later

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._count += 1
        later = _Callback(when, callback, args, context)
        heappush(self._timers, (when, self._count, later))
        return later

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report a callback's error as a mistake; a task that was never awaited is not one."""
        message = str(context.get("message"))
        if message.startswith("Exception in callback"):
            self.errors.append(f"{message}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False
