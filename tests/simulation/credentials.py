"""An instance of the credentials service: the real relay, its loop, and the real waits."""

from prometheus_client import CollectorRegistry

from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.partitions import PartitionKeeper, Partitions
from keyturn_credentials.relay.relay import Relay
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import RelayChannel
from tests.simulation.database import Commit, Database, DatabaseLink, Make
from tests.simulation.redis_links import RedisLink, SimulatedScripts
from tests.simulation.settings import ANSWER_SECONDS, LEASE, LOG_KEYS
from tests.simulation.surroundings import Surroundings
from tests.testkit.simulated_process import Process

_METRICS = RelayMetrics(CollectorRegistry())


class Credentials:
    """One process, wired like ``keyturn_credentials.app``."""

    def __init__(self, process: Process, around: Surroundings) -> None:
        self.process = process
        self._around = around
        draw = around.draw
        self.links = [
            RedisLink(process, around.network, around.redis, limit=ANSWER_SECONDS) for _ in range(2)
        ]
        relaying, looking = (SimulatedScripts(link) for link in self.links)
        elsewhere = relaying
        if around.other_redis is not None:
            self.links.append(RedisLink(process, around.network, around.other_redis, limit=ANSWER_SECONDS))
            elsewhere = SimulatedScripts(self.links[-1])
        self._database = DatabaseLink(process, around.network, around.database)
        self.relay = Relay(
            self._database,
            RelayChannel(relaying, LEASE),
            process.clock,
            _METRICS,
            log_keys=LOG_KEYS,
            holder=process.name,
            new_id=lambda: f"{draw.getrandbits(48):012x}",
            partitions=around.settings.partitions,
        )

        def keeper(partition: int) -> PartitionKeeper:
            is_elsewhere = around.redis_of(partition) is not around.redis
            channel = RelayChannel(elsewhere if is_elsewhere else relaying, LEASE, Layout(partition))
            return PartitionKeeper(
                partition, self._database, channel, process.clock, _METRICS, holder=process.name
            )

        partitions = Partitions(keeper, self.relay, elapsed=process.clock.elapsed, jitter=draw.random)
        self._loop = RelayLoop(
            self.relay,
            _METRICS,
            partitions,
            elapsed=process.clock.elapsed,
            poll_seconds=0.25,
            jitter=draw.random,
        )
        self._waiter = FleetWaiter(FleetRegistry(looking), self._database, process.clock)

    async def start(self) -> None:
        await self._loop.start()

    async def stop(self) -> None:
        """SIGTERM: shut the fleet down cleanly if no node holds a lease."""
        await self._loop.stop()
        self.process.kill()

    async def change(self, make: Make, wait: float) -> tuple[Commit, bool]:
        """Make a change through the admin API, with ``Prefer: wait``. Return whether it is safe."""

        def write(database: Database) -> Commit:
            commit = database.commit(make)
            self._around.invariants.committed(commit)
            self._around.trace(f"committed {commit.sequence} ({commit.id}), {', '.join(commit.changed)}")
            return commit

        commit = await self._database.ask(write)
        self._loop.wake(commit.sequence)
        return commit, await self.wait(commit, wait)

    async def wait(self, commit: Commit, seconds: float) -> bool:
        """``GET …/fleet?sequence=…&wait=…``."""
        summary = await self._waiter.wait(commit.sequence, seconds)
        self._around.trace(f"{self.process.name}: wait for {commit.sequence}: {summary}")
        if summary.safe:
            self._around.invariants.wait_succeeded(commit)
        return summary.safe
