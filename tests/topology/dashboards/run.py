"""One run: a deployment under load, a Prometheus that scrapes it, and what happens to it."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.testkit.admin_client import Admin
from tests.testkit.dashboards import Dashboard, read_dashboards
from tests.testkit.http_client import Server
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.threaded_key_server import KeyServer
from tests.topology.callers import Callers, Rates
from tests.topology.dashboards.evaluation import Shown, Times, evaluate
from tests.topology.dashboards.happenings import Happening, Stage, canary_administrator, follow_fleet
from tests.topology.dashboards.prometheus import Prometheus
from tests.topology.dashboards.rotating import REALM as ROTATING
from tests.topology.dashboards.rotating import Rotating
from tests.topology.deployment import Deployment, Size
from tests.topology.record import CALLER, Record
from tests.topology.run import under_load

CANARIES: Final = "canaries"
LOAD: Final = Rates(
    secrets=12.0,
    keys=6.0,
    url_keys=3.0,
    introspections=8.0,
    verifications=6.0,
    rotations=0.5,
    ended=0.3,
    console=1.0,
    admin_reads=1.0,
    passing=0.1,
)
_OF_NODES: Final = {"KEYTURN_FAILURE_LIMIT_CLIENT": "100", "KEYTURN_FAILURE_LIMIT_ADDRESS": "0"}
_PROBER: Final = "keyturn-probe"


@dataclass(frozen=True)
class Plan:
    """``scrape``: seconds between two scrapes; shipped is 10. ``happens``: false for load alone."""

    seconds: float
    scrape: int
    size: Size = field(default_factory=Size)
    rates: Rates = LOAD
    happens: bool = True


@dataclass(frozen=True)
class Outcome:
    """``shown``: the panels of each dashboard with their data. ``events``: Unix times and texts."""

    times: Times
    shown: Sequence[tuple[Dashboard, Sequence[Shown]]]
    events: Sequence[tuple[float, str]]


async def run(directory: Path, plan: Plan) -> Outcome:
    """Start everything, let it happen, and evaluate all dashboards."""
    deployment = Deployment(
        directory, plan.size, node_variables=_OF_NODES, last_node_variables={"KEYTURN_WORKERS": "2"}
    )
    others = directory / "others"
    others.mkdir()
    processes = Processes(others)
    try:
        await deployment.start()
        with KeyServer() as keys:
            callers = Callers(deployment.base_url, Record(strict=False), keys)
            await callers.register()
            stage = Stage(deployment, callers, keys)
            await stage.register()
            rotating = Rotating(
                _admin(deployment, ROTATING), Server(deployment.base_url, connections=2, source=CALLER)
            )
            await rotating.register()
            more = {_PROBER: {"prober:9100": await _start_prober(deployment, processes, others)}}
            prometheus = Prometheus(
                processes,
                others / "prometheus",
                _addresses(deployment),
                more=more,
                scrape_seconds=plan.scrape,
            )
            await prometheus.start()
            start = time.time()
            stop = asyncio.Event()
            beside = [
                asyncio.create_task(rotating.run(stop)),
                asyncio.create_task(follow_fleet(callers, deployment, stop)),
            ]
            async with under_load(callers, plan.rates):
                happenings: Sequence[Happening] = stage.plan() if plan.happens else ()
                await stage.run(happenings, plan.seconds)
            stop.set()
            times = Times(start, time.time(), plan.scrape)
            shown = [(each, await evaluate(prometheus, each, times)) for each in read_dashboards()]
            await asyncio.gather(*beside)
            await prometheus.close()
            return Outcome(times, shown, stage.told)
    finally:
        processes.end_all()
        deployment.end()


def _addresses(deployment: Deployment) -> Mapping[str, str]:
    """Return the addresses by the names that compose.yaml gives."""
    named = {f"{service.name}:8080": service for service in [*deployment.credentials, *deployment.nodes]}
    named |= {"fetcher:8080": deployment.fetchers[0]}
    return {name: f"127.0.0.1:{service.port}" for name, service in named.items()}


def _admin(deployment: Deployment, realm: str) -> Admin:
    server = Server(deployment.base_url, connections=4, source=CALLER)
    return Admin(server, [server], realm=realm)


async def _start_prober(deployment: Deployment, processes: Processes, directory: Path) -> str:
    """Start ``keyturn probe`` as its documentation says; return the address of its metrics."""
    admin = _admin(deployment, CANARIES)
    await admin.create_realm()
    created = await admin.call("POST", "/clients", canary_administrator(), headers={"Prefer": "wait=20"})
    uuid = created.headers["location"].rpartition("/")[2]
    secret = directory / "prober.secret"
    secret.touch(mode=0o600)
    answer = await admin.call("GET", f"/clients/{uuid}/client-secret")
    secret.write_text(json.loads(answer.body)["value"])
    address = f"127.0.0.1:{find_free_port()}"
    command = [sys.executable, "-m", "keyturn", "probe", "--server", deployment.base_url]
    command += ["--realm", CANARIES, "--client-id", "keyturn-prober", "--secret-file", str(secret)]
    command += ["--metrics-address", address, "--interval", "10", "--forwarded-for", "203.0.113.20"]
    for node in deployment.nodes:
        command += ["--node", node.url]
    processes.start(command, cwd=directory)
    return address
