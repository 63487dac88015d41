"""Processes that can be stopped, continued and killed, and clocks that disagree."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol

PROCESS: "ContextVar[Process | None]" = ContextVar("process", default=None)


class SimulatedClock:
    """A machine's clocks: the elapsed clock runs at its own ``rate``, the wall clock is wrong by ``skew`` and
    runs at ``wall_rate``.

    Implements ``keyturn_shared.clock.Clock``. ``lost`` is time that the elapsed clock missed, which a correct
    one never does.
    """

    def __init__(
        self,
        time: Callable[[], float],
        *,
        wall: float,
        rate: float = 1.0,
        skew: float = 0.0,
        wall_rate: float = 1.0,
    ) -> None:
        self.rate = rate
        self.lost = 0.0
        self._time = time
        self._wall = wall + skew
        self._wall_rate = wall_rate

    def now(self) -> float:
        return self._wall + self._time() * self._wall_rate

    def elapsed(self) -> float:
        return (self._time() - self.lost) * self.rate

    def elapsed_at(self, time: float) -> float:
        """Return a correct elapsed clock's value at a true time."""
        return time * self.rate


class ResumingLoop(Protocol):
    """An event loop that goes on with callbacks that were held back."""

    def time(self) -> float: ...

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, context: Context | None = None
    ) -> asyncio.Task[Any]: ...

    def resume(self, callbacks: list[Any]) -> None: ...


class Process:
    """A process: code in its context stops, continues and dies with it. ``running``: alive and not
    stopped."""

    def __init__(self, loop: ResumingLoop, name: str, clock: SimulatedClock) -> None:
        self.name = name
        self.clock = clock
        self.alive = True
        self.stopped = False
        self.running = True
        self.stopped_at = 0.0
        self._loop = loop
        self._held: list[asyncio.Handle] = []
        self.context = copy_context()
        self.context.run(PROCESS.set, self)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine in this process."""
        return self._loop.create_task(work, context=self.context.copy())

    def hold(self, handle: asyncio.Handle) -> None:
        """Keep a callback that cannot run now; a dead process drops it."""
        if self.alive:
            self._held.append(handle)

    def stop(self) -> None:
        """SIGSTOP."""
        if not self.stopped:
            self.stopped, self.running, self.stopped_at = True, False, self._loop.time()

    def go_on(self) -> None:
        """SIGCONT: callbacks that came meanwhile run in order."""
        self.stopped, self.running = False, self.alive
        held, self._held = self._held, []
        self._loop.resume(held)

    def kill(self) -> None:
        """SIGKILL: none of its code runs again."""
        self.alive = self.running = False
        self._held.clear()

    def dispose(self) -> None:
        """Run its remaining code to the end, once the run is over."""
        self.alive, self.stopped, self.running = True, False, True
