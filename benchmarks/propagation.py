"""How long a change takes to reach a fleet of real nodes.

From the commit of the database transaction to the moment at which Redis recorded that the last node had
applied it, by the clock of one machine; resolution 1 ms. The credentials side (store, relay) runs in this
process, every node and Redis in processes of their own. Not in the figure: the admin call's HTTP exchange and
its transaction.

    python -m benchmarks.propagation --nodes 10 --changes 300
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.operations.secrets import SecretOperations
from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.relay import Relay
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.registry import FleetRegistry, judge
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import connect
from keyturn_shared.sealing import KeyRing

_NODE_START_SECONDS = 60.0


def start_nodes(
    count: int, redis_url: str, fleet_keys: str, directory: Path
) -> list[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "KEYTURN_REDIS_URL": redis_url,
        "KEYTURN_FLEET_KEYS": fleet_keys,
        "KEYTURN_PUBLIC_URL": "http://127.0.0.1:1",
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_PORT": "0",
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


async def measure(nodes: int, changes: int, pause: float) -> list[float]:
    directory = Path(tempfile.mkdtemp(prefix="keyturn-propagation-"))
    fleet_keys = KeyRing.generate_key()
    fleet = KeyRing.from_text(fleet_keys, purpose="fleet")
    encryption = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
    redis_server = EmbeddedRedis(directory / "redis").start()
    redis = connect(redis_server.url)
    clock, scripts = SystemClock(), RedisScripts(redis)
    engines = Engines(f"sqlite+aiosqlite:///{directory / 'keyturn.db'}")
    log = DatabaseEventLog(engines, clock)
    metrics = RelayMetrics(CollectorRegistry())
    loop = RelayLoop(Relay(log, RelayChannel(scripts, LeaseTerms()), clock, metrics, holder="bench"), metrics)
    committed: dict[int, float] = {}

    def on_committed(sequence: int) -> None:
        committed[sequence] = time.time()
        loop.wake()

    store = Store(engines, clock, encryption, on_committed=on_committed)
    projector = Projector(encryption, fleet)
    actor = Actor(Principal.system())
    processes: list[subprocess.Popen[bytes]] = []
    try:
        await migrate(engines)
        await RealmOperations(store, projector, encryption).create(actor, {"realm": "bench"})
        maker = SecretMaker(fleet)
        created = await ClientOperations(store, projector, maker).create(
            actor, "bench", {"clientId": "bench"}
        )
        secrets = SecretOperations(store, projector, maker)
        await loop.start()
        processes = start_nodes(nodes, redis_server.url, fleet_keys, directory)
        registry = FleetRegistry(scripts)
        deadline = time.monotonic() + _NODE_START_SECONDS
        while len((await registry.view()).nodes) < nodes:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the nodes did not start; see {directory}")
            await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)
        figures = []
        for _ in range(changes):
            done = await secrets.regenerate(actor, "bench", created.value[0].uuid)
            view = await registry.view(done.sequence)
            while judge(view, done.sequence).pending:
                await asyncio.sleep(0.001)
                view = await registry.view(done.sequence)
            last = max(node.renewed_at for node in view.nodes)
            figures.append(last - committed[done.sequence] * 1000)
            await asyncio.sleep(pause)
        return figures
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)
        await loop.stop()
        await redis.aclose()
        await engines.close()
        redis_server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between changes")
    chosen = parser.parse_args()
    figures = sorted(asyncio.run(measure(chosen.nodes, chosen.changes, chosen.pause)))
    p99 = figures[int(0.99 * (len(figures) - 1))]
    print(
        f"commit to last of {chosen.nodes} nodes applied, {len(figures)} changes: "
        f"median {statistics.median(figures):.1f} ms, p99 {p99:.1f} ms, worst {figures[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
