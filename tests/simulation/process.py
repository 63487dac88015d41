"""Processes that can be stopped, continued and killed, and clocks that disagree."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any

PROCESS: "ContextVar[Process | None]" = ContextVar("process", default=None)


class SimulatedClock:
    """A machine's clocks: the one that elapses runs at its own ``rate``, the wall clock is wrong by ``skew``
    and runs at ``wall_rate``.

    Implements ``keyturn_shared.clock.Clock``. ``lost`` is time that the elapsed clock missed, which a sound
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
        """What a sound elapsed clock shows at a true time."""
        return time * self.rate


class Process:
    """A process: what runs in its context stops, goes on and dies with it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, clock: SimulatedClock) -> None:
        self.name = name
        self.clock = clock
        self.alive = True
        self.stopped = False
        self.stopped_at = 0.0
        self._loop = loop
        self._held: list[asyncio.Handle] = []
        self.context = copy_context()
        self.context.run(PROCESS.set, self)

    @property
    def running(self) -> bool:
        return self.alive and not self.stopped

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine in this process."""
        return self._loop.create_task(work, context=self.context.copy())

    def hold(self, handle: asyncio.Handle) -> None:
        """Keep what cannot run now; a dead process needs it no more."""
        if self.alive:
            self._held.append(handle)

    def stop(self) -> None:
        """SIGSTOP."""
        if not self.stopped:
            self.stopped, self.stopped_at = True, self._loop.time()

    def go_on(self) -> None:
        """SIGCONT: what came meanwhile is found in the order it came."""
        self.stopped = False
        held, self._held = self._held, []
        self._loop.resume(held)  # type: ignore[attr-defined]

    def kill(self) -> None:
        """SIGKILL: no code of it runs again."""
        self.alive = False
        self._held.clear()
