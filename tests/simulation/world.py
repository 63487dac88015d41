"""One run: everything is made from a seed, with some seconds of use and faults, and a final convergence."""

import asyncio
import gc
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from keyturn_verifier.replica.lease import LeaseState
from tests.simulation.actors import Actors, Fleet
from tests.simulation.clients import CLIENTS
from tests.simulation.credentials import Credentials
from tests.simulation.database import Database
from tests.simulation.deployment import Deployment
from tests.simulation.faults import Faults
from tests.simulation.intruder import Intruder
from tests.simulation.invariants import Invariants, ViolationError
from tests.simulation.network import Network, Weather
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.simulation.settings import CLOCK_RATE, CLOCK_SKEW, LEASE, WALL
from tests.simulation.surroundings import Surroundings
from tests.simulation.token_users import TokenUsers
from tests.simulation.verifier import Verifier
from tests.simulation.wallet import Wallet
from tests.testkit.simulated_process import Process, SimulatedClock
from tests.testkit.virtual_loop import VirtualLoop

_STEP: Final = 0.25
_TOKENS_EVERY: Final = 3
"""One seed in this many also has access tokens; the others have room for more of everything else."""
_PARTITIONS_EVERY: Final = 10
"""One seed in this many has a second Redis with partitions of used assertions, whose number changes."""
_CONVERGENCE_SECONDS: Final = 20.0
_SHORT: Final = (5.0, 9.0)
_LONG: Final = (12.0, 26.0)
"""Seconds of faults. A number of partitions is given up only after some time, so those runs are longer, and
their clocks better."""
_BETTER: Final = 0.4
_CALM_SECONDS: Final = 2.0
"""Seconds of further use after convergence."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a run. ``violation``: the first one, with its true time. ``longest_barrier``: how long the
    replay barrier refused assertions after an epoch was opened and all nodes could reach its Redis."""

    seed: int
    violation: ViolationError | None
    at: float
    checks: int
    answers: dict[str, int]
    safe_waits: int
    pending_waits: int
    longest_barrier: float
    faults: int


class World:
    """The run of one seed. ``engine``: runs the scripts, and may be shared by many runs. ``intruded``: with
    an attacker who writes to Redis. ``faults``: the names of possible ones, if not all."""

    def __init__(
        self,
        seed: int,
        engine: ScriptEngine,
        trace: Callable[[str], None] | None = None,
        *,
        intruded: bool = False,
        faults: Collection[str] = (),
        dropped: Collection[int] = (),
    ) -> None:
        self._seed = seed
        self._faults = faults
        self._dropped = dropped
        self.loop = VirtualLoop.create()
        self.draw = random.Random(seed)
        self._write = trace
        self._with_tokens = not intruded and seed % _TOKENS_EVERY == _TOKENS_EVERY - 1
        self._with_partitions = not intruded and seed % _PARTITIONS_EVERY == _PARTITIONS_EVERY // 2
        self._intruded = intruded
        self.fleet = Fleet()
        self.database = Database(self.loop.time)
        self.invariants = Invariants(self.database, self.loop.time, LEASE.seconds, intruded=intruded)
        self.redis = Deployment(
            self.loop,
            self.draw,
            engine,
            partial(self._new_clock, of_redis=True),
            self.invariants.wrote,
            self.trace,
        )
        self.network = Network(self.loop, self.draw, Weather(), self.trace)
        self.wallet = Wallet(self.draw, self.loop.time)
        other = None
        if self._with_partitions:
            other = Deployment(
                self.loop,
                self.draw,
                engine,
                partial(self._new_clock, of_redis=True),
                lambda server, effects: None,
                self.trace,
            )
        self.around = Surroundings(
            self.loop,
            self.draw,
            self.network,
            self.redis,
            self.database,
            self.invariants,
            self.wallet,
            self.trace,
            other_redis=other,
        )
        if self._with_partitions:
            self.around.settings.partitions = self.draw.choice((1, 2, 3, 4))
        self.actors = Actors(self.fleet, self.around)
        self._count = 0
        self._processes: list[Process] = []

    def trace(self, line: str) -> None:
        if self._write is not None:
            self._write(f"{self.loop.time():9.4f}  {line}")

    def run(self) -> Outcome:
        """Create the realm, use it under faults, and check that everything converges."""
        for make in (self.wallet.found, *map(self.wallet.change, CLIENTS)):
            self.invariants.committed(self.database.commit(make))
        for _ in range(2):
            self.start_instance()
        for _ in range(self.draw.choice((2, 3))):
            self.start_node()
        faults = Faults(
            self.fleet,
            self.around,
            self,
            self.actors,
            pause=self.draw.uniform(0.4, 1.5),
            only=self._faults,
            dropped=self._dropped,
        )
        self._spawn(self.actors.use())
        self._go_on_until(1.0)
        raging = self._spawn(faults.run())
        changing = [self._spawn(self.actors.administer())]
        if self._with_tokens:
            users = TokenUsers(self.fleet, self.around, self.actors)
            self._spawn(users.use())
            changing.append(self._spawn(users.administer()))
        if self._intruded:
            changing.append(self._spawn(Intruder(self.fleet, self.around, self.actors).run()))
        self._go_on_until(self.draw.uniform(*(_LONG if self._with_partitions else _SHORT)))
        raging.cancel()
        deadline = self.loop.time() + _CONVERGENCE_SECONDS
        self._end_faults(faults, deadline)
        for task in changing:
            task.cancel()
        if self._intruded:  # the attacker's data in Redis may keep nodes from answering forever
            self._go_on_until(self.loop.time() + 2 * _CALM_SECONDS)
        else:
            self._converge(deadline)
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
            self.actors.waits[0],
            self.actors.waits[1],
            self.invariants.longest_barrier,
            faults.drawn,
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

    def _end_faults(self, faults: Faults, deadline: float) -> None:
        """End what has happened so far, and let what is still under way take its course: Redis may be lost,
        and processes stopped, seconds after the last fault began."""
        self.trace("no fault begins any more")
        faults.end()
        self._await(lambda: "faults are under way" if faults.under_way else "", deadline)
        self.trace("the faults are over")
        faults.end()

    def _converge(self, deadline: float) -> None:
        """Check invariant 7: nothing was lost, and everything agrees once the faults end."""
        self._await(self._apart, deadline)
        self._go_on_until(self.loop.time() + _CALM_SECONDS)
        change = self._spawn(self._last_change())
        while not change.done() and self.invariants.violation is None:
            self._go_on_until(self.loop.time() + _STEP)

    def _await(self, missing: Callable[[], str], deadline: float) -> None:
        """Go on until nothing is missing any more; at the deadline, invariant 7 is violated."""
        while self.invariants.violation is None and (still := missing()):
            if self.loop.time() >= deadline:
                self.invariants.broken(7, f"{still}, {_CONVERGENCE_SECONDS} s after the last fault began")
                return
            self._go_on_until(self.loop.time() + _STEP)

    def _apart(self) -> str:
        """Return a process that does not agree with the database yet."""
        head = self.database.head
        if not self.fleet.nodes or not self.fleet.instances:
            return "processes are still to come back"
        for node in self.fleet.nodes:
            if node.applier.position.sequence != head.sequence:
                return f"{node.process.name} is at {node.applier.position}, the log at {head.sequence}"
            if node.lease.state is not LeaseState.HELD:
                return f"{node.process.name} has no lease"
        return ""

    async def _last_change(self) -> None:
        done = await self.actors.change(self.fleet.instances[0], self.wallet.change(CLIENTS[0]), 5.0)
        if done is None or not done[1]:
            self.invariants.broken(7, f"a change when nothing goes wrong: {done}")

    def _new_clock(self, *, of_redis: bool = False) -> SimulatedClock:
        """Make a clock. Redis has only one, which counts leases; the others' wall clocks are kept in step."""
        error = CLOCK_RATE * (_BETTER if self._with_partitions else 1.0)
        rate = self.draw.uniform(1 - error, 1 + error)
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
            process.dispose()
        for task in self.loop.tasks:
            task.cancel()
        self.loop.run(self.loop.time())
        for task in self.loop.tasks:
            if not task.done():
                task.get_coro().close()  # killed before it began


@contextmanager
def uncollected() -> Iterator[None]:
    """Disable garbage collection for one run: it takes longer than the run, and may end coroutines at a
    moment that no seed decides."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
