"""One run: everything made from a seed, some seconds of use and faults, and an end at which all agree."""

import asyncio
import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from keyturn_verifier.node.lease import LeaseState
from tests.simulation.actors import Actors, Fleet
from tests.simulation.clients import CLIENTS, Wallet
from tests.simulation.credentials import Credentials
from tests.simulation.database import Database
from tests.simulation.deployment import Deployment
from tests.simulation.faults import Faults
from tests.simulation.invariants import Invariants, ViolationError
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Network, Weather
from tests.simulation.process import Process, SimulatedClock
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.simulation.settings import CLOCK_RATE, CLOCK_SKEW, LEASE, WALL
from tests.simulation.surroundings import Surroundings
from tests.simulation.verifier import Verifier

_STEP: Final = 0.25
_CONVERGENCE_SECONDS: Final = 20.0
_CALM_SECONDS: Final = 2.0
"""How long everything is used on when all agree again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run showed. ``violation``: the first one, with the true time at which it was seen."""

    seed: int
    violation: ViolationError | None
    at: float
    checks: int
    answers: dict[str, int]
    safe_waits: int
    pending_waits: int


class World:
    """The run of one seed. ``engine``: runs the scripts, and may be shared by many runs."""

    def __init__(self, seed: int, engine: ScriptEngine, trace: Callable[[str], None] | None = None) -> None:
        self._seed = seed
        self.loop = VirtualLoop()
        self.draw = random.Random(seed)
        self._write = trace
        self.fleet = Fleet()
        self.database = Database(self.loop.time)
        self.invariants = Invariants(self.database, self.loop.time, LEASE.seconds)
        self.redis = Deployment(
            self.loop, self.draw, engine, partial(self._new_clock, of_redis=True), self.invariants.wrote
        )
        self.network = Network(self.loop, self.draw, Weather(), self.trace)
        self.wallet = Wallet(self.draw)
        self.around = Surroundings(
            self.loop,
            self.draw,
            self.network,
            self.redis,
            self.database,
            self.invariants,
            self.wallet,
            self.trace,
        )
        self.actors = Actors(self.fleet, self.around)
        self._count = 0
        self._processes: list[Process] = []

    def trace(self, line: str) -> None:
        if self._write is not None:
            self._write(f"{self.loop.time():9.4f}  {line}")

    def run(self) -> Outcome:
        """Found the realm, use it under faults, and see that everything converges."""
        for make in (self.wallet.found, *map(self.wallet.change, CLIENTS)):
            self.invariants.committed(self.database.commit(make))
        for _ in range(2):
            self.start_instance()
        for _ in range(self.draw.choice((2, 3))):
            self.start_node()
        faults = Faults(self.fleet, self.around, self, self.actors.trouble, pause=self.draw.uniform(0.4, 1.5))
        self._spawn(self.actors.use())
        self._go_on_until(1.0)
        raging = [self._spawn(faults.run()), self._spawn(self.actors.administer())]
        self._go_on_until(self.draw.uniform(5.0, 9.0))
        for task in raging:
            task.cancel()
        self.trace("the faults are over")
        faults.end()
        self._converge()
        seen_at = self.loop.time()
        self._dispose()
        if self.loop.errors:
            raise RuntimeError(f"seed {self._seed}: {self.loop.errors[0]}")
        return Outcome(
            self._seed,
            self.invariants.violation,
            seen_at,
            self.invariants.checks,
            self.actors.answers,
            *self.actors.waits,
        )

    def start_node(self) -> Verifier:
        node = Verifier(self._new_process("node"), self.around)
        self.fleet.nodes.append(node)
        node.start()
        return node

    def start_instance(self) -> Credentials:
        instance = Credentials(self._new_process("credentials"), self.around)
        self.fleet.instances.append(instance)
        instance.process.spawn(instance.start())
        return instance

    def _go_on_until(self, until: float) -> None:
        while self.loop.time() < until and self.invariants.violation is None:
            self.loop.run(min(until, self.loop.time() + _STEP))

    def _converge(self) -> None:
        """Invariant 7: nothing was lost, and all agree again once nothing goes wrong any more."""
        deadline = self.loop.time() + _CONVERGENCE_SECONDS
        while self.invariants.violation is None and (apart := self._apart()):
            if self.loop.time() >= deadline:
                self.invariants.broken(7, f"{apart}, {_CONVERGENCE_SECONDS} s after the last fault")
            self._go_on_until(self.loop.time() + _STEP)
        self._go_on_until(self.loop.time() + _CALM_SECONDS)
        change = self._spawn(self._last_change())
        while not change.done() and self.invariants.violation is None:
            self._go_on_until(self.loop.time() + _STEP)

    def _apart(self) -> str:
        """Who does not agree with the database yet."""
        head = self.database.head
        if not self.fleet.nodes or not self.fleet.instances:
            return "processes are still to come back"
        for node in self.fleet.nodes:
            if node.follower.position.sequence != head.sequence:
                return f"{node.process.name} is at {node.follower.position}, the log at {head.sequence}"
            if node.lease.state is not LeaseState.HELD:
                return f"{node.process.name} has no lease"
        return ""

    async def _last_change(self) -> None:
        done = await self.actors.change(self.fleet.instances[0], self.wallet.change(CLIENTS[0]), 5.0)
        if done is None or not done[1]:
            self.invariants.broken(7, f"a change when nothing goes wrong: {done}")

    def _new_clock(self, *, of_redis: bool = False) -> SimulatedClock:
        """Redis has but one clock, which counts leases; the wall clocks of the others are kept in step."""
        rate = self.draw.uniform(1 - CLOCK_RATE, 1 + CLOCK_RATE)
        skew = self.draw.uniform(-CLOCK_SKEW, CLOCK_SKEW)
        wall_rate = rate if of_redis else 1.0
        return SimulatedClock(self.loop.time, wall=WALL, rate=rate, skew=skew, wall_rate=wall_rate)

    def _new_process(self, kind: str) -> Process:
        self._count += 1
        process = Process(self.loop, f"{kind}-{self._count}", self._new_clock())
        self._processes.append(process)
        self.trace(f"{process.name} starts")
        return process

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        return self.loop.create_task(work, context=copy_context())

    def _dispose(self) -> None:
        """End every coroutine, so that none is left to the garbage collector."""
        for process in self._processes:
            process.alive, process.stopped = True, False
        for task in self.loop.tasks:
            task.cancel()
        self.loop.run(self.loop.time())
        for task in self.loop.tasks:
            if not task.done():
                task.get_coro().close()  # killed before it began


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave garbage lying for one run: collecting it takes longer than the run, and may end coroutines at a
    moment that no seed decides."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
