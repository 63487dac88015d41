"""The service under test: one process with its own database and Redis, and a realm to break."""

import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.clock import SystemClock
from tests.testkit.admin_api import ADMIN_ID, settings_for
from tests.testkit.admin_tokens import AdminTokens
from tests.testkit.credentials_instances import Instance
from tests.testkit.ports import find_free_port
from tests.testkit.waiting import until_ready

REALM = "acme"
_START_SECONDS = 60.0
_TOKEN_SECONDS = 6 * 3600
_REQUEST_SECONDS = 60.0


@dataclass
class Service:
    """``token``: of the first admin, valid for hours. ``pid``: of the process."""

    url: str
    token: str
    pid: int
    log: Path

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx.Client:
        """Make a client whose calls take at most twenty seconds."""
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=_REQUEST_SECONDS)

    def memory(self) -> int:
        """Return the process's resident memory in KiB."""
        shown = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, check=True, text=True, timeout=10
        )
        return int(shown.stdout)


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Service]:
    redis = EmbeddedRedis(directory / "redis").start()
    settings = settings_for(f"sqlite+aiosqlite:///{directory / 'keyturn.db'}", redis.url)
    instance = Instance("credentials", find_free_port(), settings, directory / "credentials.log")
    try:
        instance.start()
        await until_ready(instance.url, seconds=_START_SECONDS)
        tokens = AdminTokens(settings, SystemClock())
        token = await tokens.issue("master", ADMIN_ID, exp=int(time.time()) + _TOKEN_SECONDS)
        assert instance.process is not None
        yield Service(instance.url, token, instance.process.pid, instance.log)
        assert instance.alive, instance.log.read_text()
    finally:
        instance.kill()
        redis.stop()


def make_realm(client: httpx.Client, **clients: dict[str, Any]) -> dict[str, str]:
    """Recreate the realm with these clients; return their ids."""
    client.delete(f"/admin/realms/{REALM}")
    client.post("/admin/realms", json={"realm": REALM}).raise_for_status()
    return {name: make_client(client, name, **members) for name, members in clients.items()}


def make_client(client: httpx.Client, name: str, **members: Any) -> str:
    """Create a client of the realm; return its id."""
    made = client.post(f"/admin/realms/{REALM}/clients", json={"clientId": name, **members})
    made.raise_for_status()
    return made.headers["location"].rpartition("/")[2]
