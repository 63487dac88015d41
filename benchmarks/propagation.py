"""Time until a change reaches a fleet of real nodes.

It is measured from the commit of the database transaction to the moment when Redis recorded that the last
node had applied it, by the clock of one machine (resolution 1 ms), and to the moment when a caller that waits
for the change (``Prefer: wait``) continues. The credentials side (store, relay, waits) runs in this process,
every node and Redis in separate processes. Not included: the admin call's HTTP exchange and its transaction.
With ``--realtime`` everything measured has priority over other processes of the machine (Linux, as root).

    python -m benchmarks.propagation --nodes 10 50 --changes 300
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.operations.changes import Changes
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.secrets import SecretOperations
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.partitions import PartitionKeeper, Partitions
from keyturn_credentials.relay.relay import Relay
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.redis_client import connect
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys

_NODE_START_SECONDS = 300.0
_WAIT_SECONDS = 10.0


def start_nodes(
    count: int, redis_url: str, fleet_keys: str, directory: Path
) -> list[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "KEYTURN_REDIS_URL": redis_url,
        "KEYTURN_FLEET_KEYS": fleet_keys,
        "KEYTURN_PUBLIC_URL": "http://127.0.0.1:1",
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_PORT": "0",
        "KEYTURN_LOG_LEVEL": "warning",
    }
    nodes = []
    for number in range(count):
        with (directory / f"node-{number}.log").open("wb") as log:
            nodes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "keyturn.cli", "verifier"], env=environment, stdout=log, stderr=log
                )
            )
    return nodes


@dataclass(frozen=True)
class Figures:
    """Milliseconds after each commit until the last node had applied it, and until its wait was over."""

    applied: list[float]
    waited: list[float]


async def measure(nodes: int, changes: int, pause: float, *, realtime: bool) -> Figures:
    directory = Path(tempfile.mkdtemp(prefix="keyturn-propagation-"))
    fleet_keys = KeyRing.generate_key()
    fleet = FleetRing.read(fleet_keys)
    encryption = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
    redis_server = EmbeddedRedis(directory / "redis").start()
    redis = connect(redis_server.url)
    clock, scripts = SystemClock(), RedisScripts(redis)
    database = Database(f"sqlite+aiosqlite:///{directory / 'keyturn.db'}")
    log = DatabaseEventLog(database, clock)
    metrics = RelayMetrics(CollectorRegistry())
    log_keys = LogSigningKeys.derived_from(fleet_keys)
    channel = RelayChannel(scripts, LeaseTerms())
    relay = Relay(log, channel, clock, metrics, log_keys=log_keys, holder="bench")

    def keeper(partition: int) -> PartitionKeeper:
        partitioned = RelayChannel(scripts, LeaseTerms(), Layout(partition))
        return PartitionKeeper(partition, log, partitioned, clock, metrics, holder="bench")

    loop = RelayLoop(relay, metrics, Partitions(keeper, relay, elapsed=clock.elapsed), elapsed=clock.elapsed)
    committed: dict[int, float] = {}

    def on_committed(sequence: int) -> None:
        committed[sequence] = time.time()
        loop.wake(sequence)

    store = Store(database, clock, encryption, log_keys=log_keys, on_committed=on_committed)
    operations = Changes(store, Projector(encryption, fleet))
    actor = Actor(Principal.system())
    processes: list[subprocess.Popen[bytes]] = []
    try:
        await migrate(database)
        realms = RealmOperations(store, operations, encryption)
        await realms.create(actor, {"realm": "bench"})
        maker = SecretIssuer(fleet)
        clients = ClientOperations(store, operations, maker, realms)
        created = await clients.create(actor, "bench", {"clientId": "bench"})
        secrets = SecretOperations(operations, maker)
        await loop.start()
        processes = start_nodes(nodes, redis_server.url, fleet_keys, directory)
        registry = FleetRegistry(scripts)
        deadline = time.monotonic() + _NODE_START_SECONDS
        while len((await registry.view()).nodes) < nodes:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the nodes did not start; see {directory}")
            await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)
        if realtime:
            prefer([os.getpid(), redis_server.pid, *(process.pid for process in processes)])
        waiter = FleetWaiter(registry, log, clock)
        figures = Figures([], [])
        for _ in range(changes):
            done = await secrets.regenerate(ClientTarget(actor, "bench", created.value[0].uuid))
            view, summary = await waiter.watch(done.sequence, _WAIT_SECONDS)
            over = time.time()
            if view is None or summary.applied < nodes:
                raise TimeoutError(f"not every node applied it: {summary}")
            last = max(node.renewed_at for node in view.nodes)
            figures.applied.append(last - committed[done.sequence] * 1000)
            figures.waited.append((over - committed[done.sequence]) * 1000)
            await asyncio.sleep(pause)
        return figures
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)
        await loop.stop()
        await redis.aclose()
        await database.close()
        redis_server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between changes")
    parser.add_argument("--realtime", action="store_true", help="run before all other work of the machine")
    chosen = parser.parse_args()
    for nodes in chosen.nodes:
        figures = uvloop.run(measure(nodes, chosen.changes, chosen.pause, realtime=chosen.realtime))
        print(f"{nodes} nodes, {chosen.changes} changes; from the commit")
        print(f"  to the last node applied: {summary(figures.applied)}")
        print(f"  to the end of the wait:   {summary(figures.waited)}")


def prefer(pids: list[int]) -> None:
    """Let these processes, but none they start, run before all others. Raises PermissionError."""
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    for pid in pids:
        os.sched_setscheduler(pid, policy, os.sched_param(1))


def summary(figures: list[float]) -> str:
    ordered = sorted(figures)
    p99 = ordered[int(0.99 * (len(ordered) - 1))]
    return f"median {statistics.median(ordered):.1f} ms, p99 {p99:.1f} ms, worst {ordered[-1]:.1f} ms"


if __name__ == "__main__":
    main()
