"""Faults of a run."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from tests.simulation.actors import Fleet
from tests.simulation.agenda import Agenda
from tests.simulation.credentials import Credentials
from tests.simulation.database import Backup
from tests.simulation.sequences import Callers, Machines, Sequences
from tests.simulation.settings import LEASE
from tests.simulation.surroundings import Surroundings
from tests.testkit.simulated_process import Process

_LEASE: Final = LEASE.seconds
_SOON: Final = 0.05
_SHARE: Final = 0.4


class Faults:
    """Random faults, drawn by weight; whatever stops or dies comes back after a while. ``callers`` send
    requests to nodes. ``dropped``: the numbers of faults that are left out; ``drawn`` counts all."""

    def __init__(
        self,
        fleet: Fleet,
        around: Surroundings,
        machines: Machines,
        callers: Callers,
        *,
        pause: float,
        only: Collection[str] = (),
        dropped: Collection[int] = (),
    ) -> None:
        self._fleet = fleet
        self._callers = callers
        self._around = around
        self._draw = around.draw
        self._machines = machines
        self._pause = pause
        self._dropped = dropped
        self.drawn = 0
        self._agenda = Agenda(around.loop)
        self._backups: list[Backup] = []
        self._first = around.database.head.sequence
        sequences = Sequences(fleet, around, machines, callers, self._agenda)
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
            self._fail_over_twice: 1.5,
            self._close_idle: 2,
            self._lose_projections: 1,
            self._isolate: 2,
            self._restore: 2,
            self._database_fails_over: 2,
            self._close: 0.7,
            sequences.lose_with_newcomer: 1,
            sequences.lose_after_farewell: 1,
            sequences.relays_take_turns: 1,
            sequences.lose_latest_marks: 1,
            sequences.lose_latest_change: 1,
            sequences.replay_late: 1,
            sequences.change_while_read: 1,
            sequences.set_back_unnoticed: 1,
            sequences.close_slowly: 0.7,
        }
        if around.other_redis is not None:
            self._kinds |= {self._repartition: 4, self._lose_partitions: 5}
        self._kinds = {
            kind: weight for kind, weight in self._kinds.items() if not only or _name(kind) in only
        }
        # Each run has only some kinds of faults: one kind could hide the effects of another.
        some = [kind for kind in self._kinds if self._draw.random() < _SHARE]
        self._kinds = {kind: self._kinds[kind] for kind in some} or self._kinds

    async def run(self) -> None:
        while True:
            # Often two come together: one alone is mostly harmless.
            pause = self._pause if self._draw.random() < 0.6 else _SOON
            await asyncio.sleep(self._draw.expovariate(1.0 / pause))
            state = self._around.database.fleet_state
            if self._draw.random() < 0.3 and state.epoch and state.closed_nonce is None:
                # One from before its first epoch, or from a clean shutdown, says that no lease is held.
                self._backups.append(self._around.database.back_up())
            (fault,) = self._draw.choices(list(self._kinds), list(self._kinds.values()))
            number, self.drawn = self.drawn, self.drawn + 1
            if number not in self._dropped:
                self._around.trace(f"FAULT {number} {_name(fault)}: {fault()}")

    @property
    def under_way(self) -> bool:
        """True while a fault that has begun has something left to do, or Redis is away."""
        other = self._around.other_redis
        is_away = not self._around.redis.primary.alive or (other is not None and not other.primary.alive)
        return self._agenda.left > 0 or is_away

    def end(self) -> None:
        """End what has happened so far: stopped processes continue, and the network is calm. What is
        ``under_way`` goes on."""
        self._around.network.weather.calm()
        self._around.redis.heal()
        if self._around.other_redis is not None:
            self._around.other_redis.heal()
        self._around.invariants.reunited()
        for process in self._fleet.processes:
            process.go_on()
        for each in self._fleet.everyone:
            for link in each.links:
                link.silent = False

    def _stop_node(self) -> str:
        return self._stop_for([node.process for node in self._fleet.nodes], 2.5 * _LEASE)

    def _stop_node_at_work(self) -> str:
        """Stop a node while it is answering."""
        if not self._fleet.nodes:
            return "nobody"
        node, seconds = self._draw.choice(self._fleet.nodes), self._draw.uniform(0.5, 2.5 * _LEASE)
        for _ in range(3):
            self._callers.trouble(node)
        delay = self._around.network.weather.usual_delay
        self._later(self._draw.uniform(0.5, 4.0) * delay, node.process.stop)
        self._end_after(seconds, node.process.go_on)
        return f"{node.process.name} for {seconds:.3f} s"

    def _stop_instance(self) -> str:
        return self._stop_for([instance.process for instance in self._fleet.instances], 2.0 * _LEASE)

    def _stop_for(self, processes: list[Process], longest: float) -> str:
        if not processes:
            return "nobody"
        process, seconds = self._draw.choice(processes), self._draw.uniform(0.05, longest)
        process.stop()
        self._end_after(seconds, process.go_on)
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

    def _stop(self, instance: Credentials) -> None:
        instance.process.spawn(instance.stop())

    def _silence(self) -> str:
        """Cut some connections of one process without notice."""
        processes = self._fleet.everyone
        if not processes:
            return "nobody"
        each = self._draw.choice(processes)
        links = self._draw.sample(each.links, self._draw.randint(1, len(each.links)))
        seconds = self._draw.uniform(0.2, 3.0 * _LEASE)
        for link in links:
            link.silent = True
            self._end_after(seconds, partial(setattr, link, "silent", False))
        return f"{each.process.name} for {seconds:.3f} s, {[each.links.index(link) for link in links]}"

    def _bad_weather(self) -> str:
        weather = self._around.network.weather
        weather.slow, weather.lost, weather.cut = (self._draw.uniform(0.0, 0.3) ** 2 * 2 for _ in range(3))
        weather.usual_delay = self._draw.choice((0.001, 0.01, 0.05, 0.15))
        weather.slowest = self._draw.choice((0.05, 0.5, 2.5))
        self._end_after(self._draw.uniform(0.5, 4.0), weather.calm)
        return str(weather)

    def _cut_connections(self) -> str:
        """End connections; their next requests go to the current primary."""
        links = [link for each in self._fleet.everyone for link in each.links]
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

    def _fail_over_twice(self) -> str:
        """Lose the new primary as well, perhaps before all clients have noticed."""
        self._around.redis.fail_over(self._draw.uniform(0.01, 0.3))
        self._later(self._draw.uniform(0.3, 1.5), lambda: self._around.redis.fail_over(0.2))
        return self._new_lag()

    def _close_idle(self) -> str:
        """Close idle connections, which is noticed with the next request."""
        links = [link for each in self._fleet.everyone for link in each.links]
        for link in self._draw.sample(links, (len(links) + 1) // 2):
            link.stale = True
        return "half of them"

    def _lose_projections(self) -> str:
        """Lose projections by eviction or manual deletion."""
        self._around.redis.lose_projections()
        return ""

    def _isolate(self) -> str:
        gone_after = self._around.redis.isolate(self._draw.uniform(0.01, 1.0), self._draw.uniform(0.0, 4.0))
        self._end_after(gone_after, self._around.invariants.reunited)
        return self._new_lag()

    def _repartition(self) -> str:
        """Change the number of partitions, and restart an instance with it. Others follow when they are
        restarted."""
        settings = self._around.settings
        settings.partitions = self._draw.choice(
            [count for count in (1, 2, 3, 4) if count != settings.partitions]
        )
        return f"{settings.partitions}, {self._kill_instance()}"

    def _lose_partitions(self) -> str:
        """Lose the shard with some of the partitions, in one of the ways in which Redis is lost."""
        other = self._around.other_redis
        if other is None:
            return "none"
        away = self._draw.uniform(0.01, 1.0)
        match self._draw.choice(("flush", "restart", "fail over", "isolate")):
            case "flush" as how:
                other.flush()
            case "restart" as how:
                other.restart_empty(away)
            case "fail over" as how:
                other.fail_over(away)
            case how:
                other.isolate(away, self._draw.uniform(0.0, 4.0))
        other.lag = self._draw.choice((0.0, 0.01, 0.3, 2.0))
        return f"{how}, {away:.3f} s"

    def _new_lag(self) -> str:
        self._around.redis.lag = self._draw.choice((0.0, 0.01, 0.3, 2.0))
        return f"from now on the replica is {self._around.redis.lag} s behind"

    def _restore(self) -> str:
        """Restore the database from a backup while everything runs."""
        if not self._backups:
            return "no backup yet"
        backup = self._draw.choice(self._backups)
        self._around.database.restore(backup)
        self._around.invariants.restored()
        return f"to {backup.head.sequence}"

    def _database_fails_over(self) -> str:
        """Fail over to a lagging replica: the last changes are lost, though they were acknowledged."""
        database = self._around.database
        lost = self._draw.choice((1, 1, 2))
        head = database.head
        for _ in range(lost):
            if head.parent is None or head.parent.sequence < self._first:
                return "too early"
            head = head.parent
        database.restore(Backup(head, database.fleet_state, database.relay_lease, database.partition_epochs))
        self._around.invariants.restored()
        return f"to {head.sequence}"

    def _close(self) -> str:
        """Shut the whole fleet down cleanly, restart Redis with or without its data, and start everything
        again."""
        nodes, instances = list(self._fleet.nodes), list(self._fleet.instances)
        self._fleet.nodes.clear()
        self._fleet.instances.clear()
        for node in nodes:
            node.process.spawn(node.leave())
        for instance in instances:
            self._later(self._draw.uniform(0.1, 1.0), partial(self._stop, instance))
        restart = self._draw.choice((self._fail_over, self._restart_empty, lambda: ""))
        self._later(self._draw.uniform(0.5, 1.5), restart)
        for _ in instances:
            self._later(self._draw.uniform(1.0, 2.0), self._machines.start_instance)
        for _ in nodes:
            self._later(self._draw.uniform(1.0, 2.5), self._machines.start_node)
        return "the fleet"

    def _end_after(self, seconds: float, what: Callable[[], object]) -> None:
        """End something then, if ``end`` has not done so before."""
        self._around.loop.call_later(seconds, what)

    def _later(self, seconds: float, what: Callable[[], object]) -> None:
        self._agenda.later(seconds, what)


def _name(fault: Callable[[], str]) -> str:
    return fault.__name__.strip("_")
