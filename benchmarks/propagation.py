"""Time until a change reaches a fleet of real nodes.

It is measured from the commit of the database transaction to the moment when Redis recorded that the last
node had applied it, by the clock of one machine (resolution 1 ms), and to the moment when a caller that waits
for the change (``Prefer: wait``) continues. The credentials side (store, relay, waits) runs in this process,
every node and Redis in separate processes. Not included: the admin call's HTTP exchange and its transaction.
With ``--realtime`` everything measured has priority over other processes of the machine (Linux, as root).

    python -m benchmarks.propagation --nodes 1 3 10 --changes 300
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from benchmarks import provenance
from benchmarks.results import Figure, figure, percentile, ratio
from benchmarks.verifier.processor_time import processor_seconds
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
_IDLE_SECONDS = 2.0


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
    processor_us: list[float]
    """Processor time of a node for each event, by node, without that of an idle node."""


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
        measured = Figures([], [], [])
        pids = [process.pid for process in processes]
        idle = await _used(pids, asyncio.sleep(_IDLE_SECONDS))
        began, before = time.monotonic(), [processor_seconds(pid) for pid in pids]
        for _ in range(changes):
            done = await secrets.regenerate(ClientTarget(actor, "bench", created.value[0].uuid))
            view, summary = await waiter.watch(done.sequence, _WAIT_SECONDS)
            over = time.time()
            if view is None or summary.applied < nodes:
                raise TimeoutError(f"not every node applied it: {summary}")
            last = max(node.renewed_at for node in view.nodes)
            measured.applied.append(last - committed[done.sequence] * 1000)
            measured.waited.append((over - committed[done.sequence]) * 1000)
            await asyncio.sleep(pause)
        took = time.monotonic() - began
        for pid, at_first, alone in zip(pids, before, idle, strict=True):
            used = processor_seconds(pid) - at_first - alone * took / _IDLE_SECONDS
            measured.processor_us.append(1e6 * used / changes)
        return measured
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)
        await loop.stop()
        await redis.aclose()
        await database.close()
        redis_server.stop()


async def _used(pids: list[int], work: Awaitable[None]) -> list[float]:
    """Return the processor seconds that each process spends meanwhile."""
    before = [processor_seconds(pid) for pid in pids]
    await work
    return [processor_seconds(pid) - at for pid, at in zip(pids, before, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between changes")
    parser.add_argument("--realtime", action="store_true", help="run before all other work of the machine")
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before, measured = provenance.busy_before(), dict[int, Figures]()
    for nodes in chosen.nodes:
        found = measured[nodes] = uvloop.run(
            measure(nodes, chosen.changes, chosen.pause, realtime=chosen.realtime)
        )
        print(f"{nodes} nodes, {chosen.changes} changes; from the commit")
        print(f"  to the last node applied: {summary(found.applied)}")
        print(f"  to the end of the wait:   {summary(found.waited)}")
        print(f"  a node's processor time:  {statistics.median(found.processor_us):.0f} µs for each event")
    provenance.hand_over(
        chosen.results,
        "propagation",
        figures(measured),
        excluded=("HTTP", "the transaction of the change", "the processor time of an idle node"),
        programs=("uvloop", "Redis"),
        busy=before,
    )


def figures(measured: dict[int, Figures]) -> list[Figure]:
    """Return times and costs by number of nodes; each is compared with the smallest fleet's."""
    smallest = measured[min(measured)]
    found = []
    for nodes, each in measured.items():
        for name, mine, theirs in (
            ("to the last node applied", each.applied, smallest.applied),
            ("to the end of the wait", each.waited, smallest.waited),
        ):
            found.append(_times(name, nodes, mine, theirs, min(measured)))
        cost = statistics.median(each.processor_us)
        compared = ratio(_nodes(min(measured)), [cost], [statistics.median(smallest.processor_us)])
        found.append(
            figure("processor time of a node", _nodes(nodes), "µs", [cost], at=nodes, ratios=[compared])
        )
    return found


def _times(name: str, nodes: int, mine: list[float], theirs: list[float], fewest: int) -> Figure:
    (p50, p99), (their_p50, their_p99) = (
        (statistics.median(times), percentile(times, 0.99)) for times in (mine, theirs)
    )
    compared = ratio(_nodes(fewest), [p50], [their_p50], p99=([p99], [their_p99]))
    return figure(name, _nodes(nodes), "ms", [p50], p50=[p50], p99=[p99], at=nodes, ratios=[compared])


def _nodes(count: int) -> str:
    return f"{count} node{'s' if count > 1 else ''}"


def prefer(pids: list[int]) -> None:
    """Let these processes, but none they start, run before all others. Raises PermissionError."""
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    for pid in pids:
        os.sched_setscheduler(pid, policy, os.sched_param(1))


def summary(figures: list[float]) -> str:
    ordered = sorted(figures)
    p99 = percentile(ordered, 0.99)
    return f"median {statistics.median(ordered):.1f} ms, p99 {p99:.1f} ms, worst {ordered[-1]:.1f} ms"


if __name__ == "__main__":
    main()
