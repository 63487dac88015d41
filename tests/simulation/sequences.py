"""Sequences of faults that only one protection withstands; random faults hardly ever produce them."""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from keyturn_shared.fleet.layout import Layout
from tests.simulation.actors import Fleet
from tests.simulation.agenda import Agenda
from tests.simulation.credentials import Credentials
from tests.simulation.database import Backup
from tests.simulation.settings import CLOCK_SKEW, LEASE, RELAY_LEASE_SECONDS
from tests.simulation.surroundings import Surroundings
from tests.simulation.verifier import Verifier

_MAX_NODES: Final = 4
_REPLAYS: Final = 12
_PROBES: Final = 24
_HEAD: Final = Layout().head.encode()


class Machines(Protocol):
    """Starts processes."""

    def start_node(self) -> Verifier: ...

    def start_instance(self) -> Credentials: ...


class Callers(Protocol):
    """Sends requests.

    ``trouble`` sends any request to a node, ``sign`` a new assertion, ``replay`` a former one.
    ``sign_briefly`` also returns the seconds until that one expires, and a function that sends it again.
    ``administer_by`` makes an instance change a client and wait.
    """

    def trouble(self, node: Verifier) -> None: ...

    def sign(self, node: Verifier) -> None: ...

    def replay(self, node: Verifier) -> None: ...

    def sign_briefly(self, node: Verifier) -> tuple[float, Callable[[Verifier], None]]: ...

    def administer_by(self, instance: Credentials) -> None: ...


class Sequences:
    """Each is started by a call, which returns a description, and continues by itself. ``agenda``: what they
    have still to do."""

    def __init__(
        self, fleet: Fleet, around: Surroundings, machines: Machines, callers: Callers, agenda: Agenda
    ) -> None:
        self._fleet = fleet
        self._around = around
        self._draw = around.draw
        self._machines = machines
        self._callers = callers
        self._agenda = agenda
        self._first = around.database.head.sequence
        self._closing = False

    def lose_with_newcomer(self) -> str:
        """A node that has just joined accepts assertions, and dies together with Redis' data."""
        if len(self._fleet.nodes) >= _MAX_NODES:
            return "too many"
        node = self._machines.start_node()
        lost = self._draw.uniform(0.1, 0.4)
        for _ in range(8):
            self._later(self._draw.uniform(0.0, lost), lambda: self._callers.sign(node))
        self._later(lost, lambda: self._die(node))
        self._later(lost, self._around.redis.flush)
        self._replay_from(lost + 0.3)
        return f"{node.process.name} after {lost:.3f} s"

    def lose_after_farewell(self) -> str:
        """A node accepts assertions and leaves cleanly; a while later Redis is lost."""
        if len(self._fleet.nodes) < 2:
            return "nobody"
        node = self._draw.choice(self._fleet.nodes)
        for _ in range(4):
            self._callers.sign(node)
        self._later(0.2, lambda: self._leave(node))
        lost = self._draw.uniform(0.6, 1.5)
        self._later(lost, self._around.redis.flush)
        self._replay_from(lost + 0.3)
        return f"{node.process.name}, Redis after {lost:.3f} s"

    def relays_take_turns(self) -> str:
        """While one relay is stopped, another one admits a node, which dies with Redis' data, before the
        first relay looks again."""
        leading = [each for each in self._fleet.instances if each.relay.leads]
        if len(self._fleet.instances) < 2 or not leading or len(self._fleet.nodes) >= _MAX_NODES:
            return "too few"
        first = leading[0]
        others = [each for each in self._fleet.instances if each is not first]
        lost = RELAY_LEASE_SECONDS + self._draw.uniform(1.1, 1.8)
        first.process.stop()
        node = self._machines.start_node()
        for _ in range(8):
            self._later(self._draw.uniform(lost - 0.6, lost - 0.05), lambda: self._callers.sign(node))
        self._later(lost, lambda: self._die(node))
        self._later(lost, self._around.redis.flush)
        for other in others:
            self._later(lost, other.process.stop)
            self._later(lost + 2 * LEASE.seconds, other.process.go_on)
        self._later(lost + 0.05, first.process.go_on)
        self._replay_from(lost + 0.5, spread=4.0)
        return f"{first.process.name} for {lost:.3f} s, {node.process.name}"

    def lose_latest_marks(self) -> str:
        """A replica takes over that lacks the last assertions, which are retried at once."""
        if not self._fleet.nodes:
            return "nobody"
        self._around.redis.lag = 2.0
        lost = self._draw.uniform(0.2, 0.6)
        for _ in range(6):
            node = self._draw.choice(self._fleet.nodes)
            self._later(self._draw.uniform(0.0, lost), partial(self._callers.sign, node))
        away = self._draw.uniform(0.01, 0.1)
        self._later(lost, lambda: self._around.redis.fail_over(away))
        self._replay_from(lost + away, spread=0.4)
        return f"after {lost:.3f} s, for {away:.3f} s"

    def change_while_read(self) -> str:
        """A client changes while nodes read everything, over a network that reorders some answers."""
        if not self._fleet.instances:
            return "nobody"
        weather = self._around.network.weather
        weather.usual_delay, weather.slow, weather.slowest = 0.005, 0.4, 0.4
        instance = self._draw.choice(self._fleet.instances)
        self._later(self._draw.uniform(0.1, 0.3), lambda: self._callers.administer_by(instance))
        for _ in range(3 * _PROBES):
            self._later(self._draw.uniform(0.0, 0.9), self._trouble)
        self._later(0.7, weather.calm)
        return "for 0.7 s"

    def replay_late(self) -> str:
        """An assertion is used, and retried on any node around its expiry, by any clock."""
        if not self._fleet.nodes:
            return "nobody"
        node = self._draw.choice(self._fleet.nodes)
        over, again = self._callers.sign_briefly(node)
        for _ in range(_REPLAYS):
            at = over + self._draw.uniform(-CLOCK_SKEW, CLOCK_SKEW)
            self._later(at, lambda: self._fleet.nodes and again(self._draw.choice(self._fleet.nodes)))
        return node.process.name

    def lose_latest_change(self) -> str:
        """A replica takes over that lacks the last changes, which nodes have applied, and the relay is slow
        to republish them."""
        if not self._fleet.nodes or not self._fleet.instances:
            return "nobody"
        redis, weather = self._around.redis, self._around.network.weather
        redis.lag = 2.0
        for instance in self._fleet.instances:
            self._callers.administer_by(instance)
        lost, away = self._draw.uniform(0.2, 0.6), self._draw.uniform(0.01, 0.1)
        self._later(lost, lambda: redis.fail_over(away))
        self._later(lost, lambda: setattr(weather, "usual_delay", 0.05))
        for _ in range(_PROBES):
            self._later(lost + away + self._draw.uniform(0.0, 1.0), self._trouble)
        self._later(lost + 2.5, weather.calm)
        return f"after {lost:.3f} s, for {away:.3f} s"

    def set_back_unnoticed(self) -> str:
        """While the relay is stopped, the database loses its last change, and another change gets the same
        number."""
        leading = [each for each in self._fleet.instances if each.relay.leads]
        others = [each for each in self._fleet.instances if each not in leading]
        database = self._around.database
        former = database.head.parent
        if not leading or not others or former is None or former.sequence < self._first:
            return "too few"
        leading[0].process.stop()
        self._later(0.8 * RELAY_LEASE_SECONDS, leading[0].process.go_on)
        database.restore(
            Backup(former, database.fleet_state, database.relay_lease, database.partition_epochs)
        )
        self._around.invariants.restored()
        for instance in others:
            self._callers.administer_by(instance)
        return f"{leading[0].process.name}, to {former.sequence}"

    def close_slowly(self) -> str:
        """The fleet shuts down cleanly, but the database learns of it only after another relay has started;
        then a replica takes over that knows only of the clean shutdown."""
        leading = [each for each in self._fleet.instances if each.relay.leads]
        if len(self._fleet.instances) < 2 or not leading or self._closing:
            return "too few"
        self._closing = True
        last, nodes = leading[0], list(self._fleet.nodes)
        self._fleet.instances.remove(last)
        self._fleet.nodes.clear()
        for node in nodes:
            node.process.spawn(node.leave())
            self._later(1.0, self._machines.start_node)
        self._later(0.2, lambda: setattr(self._around.network.weather, "usual_delay", 0.02))
        self._later(0.2, lambda: last.process.spawn(last.stop()))
        self._later(0.2, self._slow_down_once_closed)
        self._later(1.0, self._around.network.weather.calm)
        self._later(1.0, self._machines.start_instance)
        self._later(1.0, lambda: self._fail_over_once_told(self._around.loop.time() + 4.0))
        return last.process.name

    def _slow_down_once_closed(self) -> None:
        """Delay the relay's messages once its message to Redis has reached the replica, and the answer the
        relay."""
        redis = self._around.redis
        head = redis.primary.data.hash(_HEAD, redis.primary.now_ms)
        if head.get(b"closed_nonce"):
            redis.lag, self._around.network.weather.usual_delay = 10.0, 3.0
        elif self._around.network.weather.usual_delay == 0.02:
            self._later(0.001, self._slow_down_once_closed)

    def _fail_over_once_told(self, latest: float) -> None:
        """Fail over once the database knows of the clean shutdown, before a relay looks again, or at the end.
        A node dies as well, with its memory."""
        redis, state = self._around.redis, self._around.database.fleet_state
        head = redis.primary.data.hash(_HEAD, redis.primary.now_ms)
        overtaken = state.closed_nonce is not None and int(head.get(b"epoch", b"0")) > state.epoch
        if self._around.loop.time() < latest and not overtaken:
            self._later(0.005, lambda: self._fail_over_once_told(latest))
            return
        self._closing = False
        for _ in range(_REPLAYS):
            self._later(self._draw.uniform(0.0, 0.1), self._sign)
        if self._fleet.nodes:
            node = self._draw.choice(self._fleet.nodes)
            self._later(0.15, lambda: self._die(node))
        self._later(0.15, lambda: self._around.redis.fail_over(0.02))
        self._replay_from(0.3, spread=1.5)

    def _trouble(self) -> None:
        if self._fleet.nodes:
            self._callers.trouble(self._draw.choice(self._fleet.nodes))

    def _sign(self) -> None:
        if self._fleet.nodes:
            self._callers.sign(self._draw.choice(self._fleet.nodes))

    def _replay_from(self, seconds: float, *, spread: float = 2.0) -> None:
        for _ in range(_REPLAYS):
            self._later(seconds + self._draw.uniform(0.0, spread), self._replay)

    def _replay(self) -> None:
        if self._fleet.nodes:
            self._callers.replay(self._draw.choice(self._fleet.nodes))

    def _die(self, node: Verifier) -> None:
        if node in self._fleet.nodes:
            self._fleet.nodes.remove(node)
            node.process.kill()
            self._come_back()

    def _leave(self, node: Verifier) -> None:
        if node in self._fleet.nodes and not node.leaving:
            self._fleet.nodes.remove(node)
            node.process.spawn(node.leave())
            self._come_back()

    def _come_back(self) -> None:
        if len(self._fleet.nodes) < 2:
            self._later(self._draw.uniform(0.5, 2.0), self._machines.start_node)

    def _later(self, seconds: float, what: Callable[[], object]) -> None:
        self._agenda.later(seconds, what)
