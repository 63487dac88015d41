"""Every process of keyturn that strangers' octets can reach, running."""

import asyncio
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from keyturn.stack.redis_server import EmbeddedRedis
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, settings_for
from tests.testkit.credentials_process import environment
from tests.testkit.ending import end_each
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.local_stack import RunningStack
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.tls import ServerTls
from tests.testkit.waiting import wait_until

NAMES: Final = (
    "node",
    "node with TLS",
    "credentials",
    "fetcher",
    "gateway to nodes",
    "gateway to credentials",
)
_START_SECONDS: Final = 90.0
TOKEN_PATH: Final = b"/realms/master/protocol/openid-connect/token"
ADMIN_PATH: Final = b"/admin/realms/master/clients"


@dataclass(frozen=True)
class Edge:
    """``path``: one that takes bodies, and refuses strangers. ``process``: None for the gateway, which is one
    of several processes of its stack."""

    port: int
    path: bytes
    tls: ssl.SSLContext | None = None
    process: RunningProcess | None = None
    client_id: str = ""
    secret: str = field(default="", repr=False)
    """Of the first admin."""

    @property
    def base_url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"


@contextmanager
def running_edges(directory: Path) -> Iterator[dict[str, Edge]]:
    """Run, by name, processes on their own Redis and database, and a local stack with its gateway."""
    redis = EmbeddedRedis(directory / "redis").start()
    (directory / "logs").mkdir()
    processes = Processes(directory / "logs")
    stack = RunningStack(directory / "stack", "--no-demo", nodes=1)
    try:
        edges = _start(processes, redis.url, directory)
        stack.start()
        port = urlsplit(stack.base_url).port or 0
        for name, path in (("gateway to nodes", TOKEN_PATH), ("gateway to credentials", ADMIN_PATH)):
            admin = stack.local["admin"]
            edges[name] = Edge(port, path, client_id=admin["client_id"], secret=admin["client_secret"])
        asyncio.run(_until_all_are_ready(edges))
        yield edges
    finally:
        end_each((redis.stop, processes.end_all, stack.end))


def _start(processes: Processes, redis_url: str, directory: Path) -> dict[str, Edge]:
    database = f"sqlite+aiosqlite:///{directory}/keyturn.db"
    port = find_free_port()
    base_url = f"http://127.0.0.1:{port}"
    settings = settings_for(database, redis_url, fleet_keys=FLEET_KEY, public_url=base_url)
    tls = ServerTls.make(directory)
    verifier = {
        "KEYTURN_REDIS_URL": redis_url,
        "KEYTURN_FLEET_KEYS": FLEET_KEY,
        "KEYTURN_PUBLIC_URL": base_url,
        "KEYTURN_CREDENTIALS_URL": base_url,
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_FAILURE_LIMIT_CLIENT": "0",
        "KEYTURN_FAILURE_LIMIT_ADDRESS": "0",
    }
    files = {
        "KEYTURN_TLS_CERTIFICATE_PATH": str(tls.certificate),
        "KEYTURN_TLS_KEY_PATH": str(tls.key),
    }

    def start(command: str, variables: dict[str, str]) -> RunningProcess:
        return processes.start([sys.executable, "-m", "keyturn.cli", command], environment=variables)

    def verify(command: str, path: bytes, more: dict[str, str], tls: ssl.SSLContext | None = None) -> Edge:
        port = find_free_port()
        process = start(command, verifier | more | {"KEYTURN_PORT": str(port)})
        return Edge(port, path, tls, process)

    credentials = start("credentials", environment(settings, port))
    return {
        "credentials": Edge(port, ADMIN_PATH, process=credentials, client_id=ADMIN_ID, secret=ADMIN_SECRET),
        "node": verify("verifier", TOKEN_PATH, {}),
        "node with TLS": verify(
            "verifier", TOKEN_PATH, files, ssl.create_default_context(cafile=str(tls.authority))
        ),
        "fetcher": verify("fetcher", b"/nothing", {}),
    }


async def _until_all_are_ready(edges: dict[str, Edge]) -> None:
    async def ready(edge: Edge) -> bool:
        try:
            # The certificate does not matter here.
            async with httpx.AsyncClient(trust_env=False, verify=False) as http:
                return (await http.get(f"{edge.base_url}/health/ready")).status_code == 200
        except httpx.HTTPError:
            return False

    for edge in edges.values():
        await wait_until(partial(ready, edge), timeout=_START_SECONDS, interval=0.1)
