"""What goes wrong in a run."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from tests.simulation.actors import Fleet
from tests.simulation.credentials import Credentials
from tests.simulation.database import Backup
from tests.simulation.process import Process
from tests.simulation.settings import LEASE
from tests.simulation.surroundings import Surroundings
from tests.simulation.verifier import Verifier

_LEASE: Final = LEASE.seconds
_SOON: Final = 0.05
_SHARE: Final = 0.4


class Machines(Protocol):
    """Starts processes."""

    def start_node(self) -> Verifier: ...

    def start_instance(self) -> Credentials: ...


class Faults:
    """One fault after the other, drawn by weight; what stops or dies comes back after a while. ``trouble``
    sends a request to a node."""

    def __init__(
        self,
        fleet: Fleet,
        around: Surroundings,
        machines: Machines,
        trouble: Callable[[Verifier], None],
        *,
        pause: float,
    ) -> None:
        self._fleet = fleet
        self._trouble = trouble
        self._around = around
        self._draw = around.draw
        self._machines = machines
        self._pause = pause
        self._backups: list[Backup] = []
        self._kinds: dict[Callable[[], str], float] = {
            self._stop_node: 4,
            self._stop_node_at_work: 3,
            self._stop_instance: 3,
            self._kill_node: 2,
            self._kill_instance: 2,
            self._leave: 2,
            self._join: 2,
            self._silence: 6,
            self._bad_weather: 4,
            self._cut_connections: 2,
            self._flush: 2,
            self._restart_empty: 1,
            self._fail_over: 3,
            self._isolate: 2,
            self._restore: 2,
            self._close: 0.7,
        }
        # Each run has some kinds only: what one kind would show, another one would hide.
        some = [kind for kind in self._kinds if self._draw.random() < _SHARE]
        self._kinds = {kind: self._kinds[kind] for kind in some} or self._kinds

    async def run(self) -> None:
        while True:
            # Often two come together: one alone is mostly harmless.
            pause = self._pause if self._draw.random() < 0.6 else _SOON
            await asyncio.sleep(self._draw.expovariate(1.0 / pause))
            if self._draw.random() < 0.3 and self._around.database.fleet_state.epoch:
                # A database from before its first epoch is a new one: nobody holds a lease then.
                self._backups.append(self._around.database.back_up())
            (fault,) = self._draw.choices(list(self._kinds), list(self._kinds.values()))
            self._around.trace(f"FAULT {fault.__name__.strip('_')}: {fault()}")

    def end(self) -> None:
        """Everything that stood still goes on, and the weather is calm."""
        self._around.network.weather.calm()
        self._around.redis.heal()
        for process in self._fleet.processes:
            process.go_on()
        for each in (*self._fleet.nodes, *self._fleet.instances):
            for link in each.links:
                link.silent = False

    def _stop_node(self) -> str:
        return self._stop_for([node.process for node in self._fleet.nodes], 2.5 * _LEASE)

    def _stop_node_at_work(self) -> str:
        """In the middle of answers."""
        if not self._fleet.nodes:
            return "nobody"
        node, seconds = self._draw.choice(self._fleet.nodes), self._draw.uniform(0.5, 2.5 * _LEASE)
        for _ in range(3):
            self._trouble(node)
        delay = self._around.network.weather.usual_delay
        self._later(self._draw.uniform(0.5, 4.0) * delay, node.process.stop)
        self._later(seconds, node.process.go_on)
        return f"{node.process.name} for {seconds:.3f} s"

    def _stop_instance(self) -> str:
        return self._stop_for([instance.process for instance in self._fleet.instances], 2.0 * _LEASE)

    def _stop_for(self, processes: list[Process], longest: float) -> str:
        if not processes:
            return "nobody"
        process, seconds = self._draw.choice(processes), self._draw.uniform(0.05, longest)
        process.stop()
        self._later(seconds, process.go_on)
        return f"{process.name} for {seconds:.3f} s"

    def _kill_node(self) -> str:
        if not self._fleet.nodes:
            return "nobody"
        node = self._fleet.nodes.pop(self._draw.randrange(len(self._fleet.nodes)))
        node.process.kill()
        self._later(self._draw.uniform(0.05, 2.0), self._machines.start_node)
        return node.process.name

    def _kill_instance(self) -> str:
        if not self._fleet.instances:
            return "nobody"
        instance = self._fleet.instances.pop(self._draw.randrange(len(self._fleet.instances)))
        instance.process.kill()
        self._later(self._draw.uniform(0.05, 2.0), self._machines.start_instance)
        return instance.process.name

    def _leave(self) -> str:
        if len(self._fleet.nodes) < 2:
            return "nobody"
        node = self._fleet.nodes.pop(self._draw.randrange(len(self._fleet.nodes)))
        node.process.spawn(node.leave())
        self._later(self._draw.uniform(0.05, 2.0), self._machines.start_node)
        return node.process.name

    def _join(self) -> str:
        return "too many" if len(self._fleet.nodes) >= 4 else self._machines.start_node().process.name

    def _silence(self) -> str:
        """Some of the connections of one process are cut without a word."""
        processes = [*self._fleet.nodes, *self._fleet.instances]
        if not processes:
            return "nobody"
        each = self._draw.choice(processes)
        links = self._draw.sample(each.links, self._draw.randint(1, len(each.links)))
        seconds = self._draw.uniform(0.2, 3.0 * _LEASE)
        for link in links:
            link.silent = True
            self._later(seconds, lambda link=link: setattr(link, "silent", False))
        return f"{each.process.name} for {seconds:.3f} s, {[each.links.index(link) for link in links]}"

    def _bad_weather(self) -> str:
        weather = self._around.network.weather
        weather.slow, weather.lost, weather.cut = (self._draw.uniform(0.0, 0.3) ** 2 * 2 for _ in range(3))
        weather.usual_delay = self._draw.choice((0.001, 0.01, 0.05, 0.15))
        weather.slowest = self._draw.choice((0.05, 0.5, 2.5))
        self._later(self._draw.uniform(0.5, 4.0), weather.calm)
        return str(weather)

    def _cut_connections(self) -> str:
        """Connections end, and their next requests go to whoever is the primary now."""
        links = [link for each in (*self._fleet.nodes, *self._fleet.instances) for link in each.links]
        for link in self._draw.sample(links, len(links) // 2):
            link.server = None
        return "half of them"

    def _flush(self) -> str:
        self._around.redis.flush()
        return ""

    def _restart_empty(self) -> str:
        self._around.redis.restart_empty(self._draw.uniform(0.01, 1.0))
        return ""

    def _fail_over(self) -> str:
        self._around.redis.fail_over(self._draw.uniform(0.01, 1.0))
        return self._new_lag()

    def _isolate(self) -> str:
        self._around.redis.isolate(self._draw.uniform(0.01, 1.0), self._draw.uniform(0.0, 4.0))
        return self._new_lag()

    def _new_lag(self) -> str:
        self._around.redis.lag = self._draw.choice((0.0, 0.01, 0.3, 2.0))
        return f"from now on the replica is {self._around.redis.lag} s behind"

    def _restore(self) -> str:
        """The database goes back to a backup, while everything runs."""
        if not self._backups:
            return "no backup yet"
        backup = self._draw.choice(self._backups)
        self._around.database.restore(backup)
        self._around.invariants.restored()
        return f"to {backup.head.sequence}"

    def _close(self) -> str:
        """The whole fleet ends in good order, Redis restarts with or without its data, all begin again."""
        nodes, instances = list(self._fleet.nodes), list(self._fleet.instances)
        self._fleet.nodes.clear()
        self._fleet.instances.clear()
        for node in nodes:
            node.process.spawn(node.leave())
        for instance in instances:
            self._later(self._draw.uniform(0.1, 1.0), lambda each=instance: each.process.spawn(each.stop()))
        restart = self._draw.choice((self._fail_over, self._restart_empty, lambda: ""))
        self._later(self._draw.uniform(0.5, 1.5), restart)
        for _ in instances:
            self._later(self._draw.uniform(1.0, 2.0), self._machines.start_instance)
        for _ in nodes:
            self._later(self._draw.uniform(1.0, 2.5), self._machines.start_node)
        return "the fleet"

    def _later(self, seconds: float, what: Callable[[], object]) -> None:
        self._around.loop.call_later(seconds, what)
