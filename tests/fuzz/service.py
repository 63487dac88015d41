"""The service under test: one process with a database and a Redis of its own, and a realm to break."""

import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from keyturn_shared.clock import SystemClock
from tests.durability.instances import Surroundings
from tests.support.admin_api import ADMIN_ID
from tests.support.admin_tokens import AdminTokens

REALM = "acme"
_TOKEN_SECONDS = 6 * 3600
_REQUEST_SECONDS = 20.0


@dataclass
class Service:
    """``token``: of the first admin, good for hours. ``pid``: of the process."""

    url: str
    token: str
    pid: int
    log: Path

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx.Client:
        """Each of its calls ends within twenty seconds, or fails."""
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=_REQUEST_SECONDS)

    def memory(self) -> int:
        """KiB that the process has in memory."""
        shown = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, check=True, text=True, timeout=10
        )
        return int(shown.stdout)


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Service]:
    surroundings = await Surroundings(directory, "sqlite", 1).start()
    try:
        (instance,) = surroundings.instances
        tokens = AdminTokens(surroundings.settings, SystemClock())
        token = await tokens.issue("master", ADMIN_ID, exp=int(time.time()) + _TOKEN_SECONDS)
        assert instance.process is not None
        yield Service(instance.url, token, instance.process.pid, instance.log)
        assert instance.alive, instance.log.read_text()
    finally:
        surroundings.close()


def make_realm(client: httpx.Client, **clients: dict[str, Any]) -> dict[str, str]:
    """The realm, made anew, with these clients; their ids."""
    client.delete(f"/admin/realms/{REALM}")
    client.post("/admin/realms", json={"realm": REALM}).raise_for_status()
    return {name: make_client(client, name, **members) for name, members in clients.items()}


def make_client(client: httpx.Client, name: str, **members: Any) -> str:
    """A client of the realm; its id."""
    made = client.post(f"/admin/realms/{REALM}/clients", json={"clientId": name, **members})
    made.raise_for_status()
    return made.headers["location"].rpartition("/")[2]
