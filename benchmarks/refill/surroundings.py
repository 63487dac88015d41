"""A filled database, Redis, the credentials service and nodes, as processes on this machine."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from redis.asyncio import Redis

from keyturn.stack.parent import ending_with_parent
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import connect
from keyturn_shared.sealing import KeyRing
from tests.testkit.client_population import representation_of
from tests.testkit.database_filling import fill
from tests.testkit.ports import find_free_port
from tests.testkit.waiting import wait_until

ADMIN_ID: Final = "bench-admin"
ADMIN_SECRET: Final = "the-secret-of-the-benchmarks-admin"
_START_SECONDS: Final = 120.0
_FILL_SECONDS: Final = 900.0


@dataclass
class Surroundings:
    """All processes. ``base_url``: the credentials service; ``nodes``: the nodes' URLs; ``database_seconds``:
    time to fill the database."""

    base_url: str
    nodes: list[str]
    server: EmbeddedRedis
    redis: Redis
    registry: FleetRegistry
    database_seconds: float

    async def whole(self) -> bool:
        """Return whether every projection is in Redis, and every node has a lease."""
        view = await self.registry.view()
        held = [node for node in view.nodes if node.expires_at > view.now]
        return view.head is not None and view.head.complete and len(held) == len(self.nodes)

    async def until_whole(self) -> None:
        await wait_until(self.whole, timeout=_FILL_SECONDS, interval=0.05)

    async def memory(self) -> int:
        """Return the bytes that Redis uses for its data."""
        return int((await self.redis.info("memory"))["used_memory"])


@asynccontextmanager
async def surroundings(directory: Path, clients: int, nodes: int) -> AsyncIterator[Surroundings]:
    """Fill the database and start everything; the block's end ends it, by process ids."""
    port = find_free_port()
    base_url = f"http://127.0.0.1:{port}"
    environment = {
        "KEYTURN_PUBLIC_URL": base_url,
        "KEYTURN_CREDENTIALS_URL": base_url,
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_LOG_LEVEL": "warning",
        "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
        "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
        "KEYTURN_DATABASE_URL": f"sqlite+aiosqlite:///{directory / 'keyturn.db'}",
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_ID,
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": ADMIN_SECRET,
        # The probes fail by the thousand, and none of them may be throttled.
        "KEYTURN_FAILURE_LIMIT_CLIENT": "0",
        "KEYTURN_FAILURE_LIMIT_ADDRESS": "0",
        "KEYTURN_FETCHER_ENABLED": "false",
    }
    names = ("fleet_keys", "encryption_keys", "database_url")
    settings = CredentialsSettings.model_validate(
        {name: environment[f"KEYTURN_{name.upper()}"] for name in names}
    )
    begun = time.monotonic()
    await fill(settings, clients, represent=_represent)
    database_seconds = time.monotonic() - begun
    async with AsyncExitStack() as stack:
        server = EmbeddedRedis(directory / "redis").start()
        stack.callback(server.stop)
        redis = connect(server.url, answer_seconds=30)
        stack.push_async_callback(redis.aclose)
        environment["KEYTURN_REDIS_URL"] = server.url
        processes = _Processes(directory, environment)
        stack.callback(processes.end)
        processes.start("credentials", KEYTURN_PORT=str(port))
        urls = []
        for _ in range(nodes):
            node_port = find_free_port()
            processes.start("verifier", KEYTURN_PORT=str(node_port))
            urls.append(f"http://127.0.0.1:{node_port}")
        for url in (base_url, *urls):
            await wait_until(partial(_is_ready, url), timeout=_START_SECONDS, interval=0.1)
        yield Surroundings(
            base_url, urls, server, redis, FleetRegistry(RedisScripts(redis)), database_seconds
        )


class _Processes:
    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._environment = environment
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, service: str, **environment: str) -> None:
        with (self._directory / f"{len(self._started)}-{service}.log").open("wb") as log:
            self._started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "keyturn.cli", service],
                    env=os.environ | dict(self._environment) | environment,
                    stdout=log,
                    stderr=log,
                    preexec_fn=ending_with_parent(),
                )
            )

    def end(self) -> None:
        for process in self._started:
            process.terminate()
        for process in self._started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _represent(number: int) -> dict[str, Any]:
    return {**representation_of(number), "serviceAccountsEnabled": True}


async def _is_ready(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"{url}/health/ready", timeout=5)).status_code == 200
    except httpx.HTTPError:
        return False
