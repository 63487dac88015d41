"""A node with several workers as separate processes, and callers of it."""

import asyncio
import base64
import os
import signal
import ssl
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

from keyturn_shared.fleet.registry import NodeRecord
from tests.testkit.filled_redis import FLEET_KEY, Filling
from tests.testkit.nodes import BASE_URL
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.waiting import wait_until

SECRET = "a secret of the worker"
_START_SECONDS = 90.0


class Caller:
    """A caller that keeps its connection until a response ends it. ``failed``: what happened instead of
    responses."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.statuses: Counter[int] = Counter()
        self.failed: list[str] = []
        self.ended_by_response = 0

    async def connect(self) -> None:
        name = None if self._tls is None else "127.0.0.1"
        self._streams = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._tls, server_hostname=name
        )

    async def ask(self) -> int:
        """Send a token request and return the status. Raises OSError or EOFError if there is no response."""
        pair = base64.b64encode(f"worker:{SECRET}".encode()).decode()
        return await self.token({}, f"Authorization: Basic {pair}\r\n")

    async def token(self, form: dict[str, str], fields: str = "") -> int:
        """Send a token request with whole lines of fields, and return the status."""
        body = urlencode({"grant_type": "client_credentials", **form})
        status, _ = await self.exchange(
            f"POST /realms/acme/protocol/openid-connect/token HTTP/1.1\r\nHost: node\r\n{fields}"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        return status

    async def get(self, path: str) -> tuple[int, str]:
        return await self.exchange(f"GET {path} HTTP/1.1\r\nHost: node\r\n\r\n")

    async def exchange(self, request: str) -> tuple[int, str]:
        if self._streams is None:
            await self.connect()
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(request.encode())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        except (OSError, EOFError):
            self.close()
            raise
        length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
        body = await reader.readexactly(int(length.split(":")[1]))
        if "connection: close" in head:
            self.ended_by_response += 1
            self.close()
        return int(head.split()[1]), body.decode()

    async def rest(self) -> bytes:
        """Return what comes until the node closes the connection."""
        assert self._streams is not None
        with suppress(ConnectionError):
            return await self._streams[0].read()
        return b""

    async def ask_until(self, stopped: asyncio.Event) -> None:
        """Send one request after the other, and count what happens."""
        while not stopped.is_set():
            try:
                self.statuses[await self.ask()] += 1
            except (OSError, EOFError) as error:
                self.failed.append(repr(error))
            await asyncio.sleep(0)
        self.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass
class Node:
    """A node's parent process. ``filling``: of the Redis in which its workers are members."""

    parent: RunningProcess
    port: int
    filling: Filling
    tls: ssl.SSLContext | None = None
    callers: list[Caller] = field(default_factory=list)

    def caller(self) -> Caller:
        made = Caller(self.port, self.tls)
        self.callers.append(made)
        return made

    async def members(self) -> dict[str, NodeRecord]:
        """Return the members by the name of the worker; of one that was replaced, the newest run."""
        nodes = (await self.filling.registry.view()).nodes
        newest_last = sorted(nodes, key=lambda node: float(node.details["started_at"]))
        return {str(node.details["name"]): node for node in newest_last}

    async def pids(self) -> dict[str, int]:
        return {name: int(node.details["pid"]) for name, node in (await self.members()).items()}

    async def page(self) -> list[tuple[str, dict[str, str], float]]:
        """Return the samples of the page of metrics that the next connection shows."""
        caller = Caller(self.port, self.tls)
        status, page = await caller.get("/metrics")
        caller.close()
        assert status == 200
        families = text_string_to_metric_families(page)
        return [(each.name, dict(each.labels), each.value) for family in families for each in family.samples]

    async def metric(self, name: str, worker: int) -> float:
        """Return a metric of a worker; -1 if it is not on the page."""
        for each, labels, value in await self.page():
            if (each, labels.get("worker")) == (name, str(worker)):
                return value
        return -1.0

    async def all_ready(self, count: int) -> None:
        """Wait until every worker gets connections."""

        async def ready() -> bool:
            with suppress(OSError, EOFError):
                found = [await self.metric("keyturn_worker_ready", number) for number in range(count)]
                return found == [1.0] * count
            return False

        await wait_until(ready, timeout=_START_SECONDS)


def start_parent(
    processes: Processes, redis_url: str, port: int, *options: str, **settings: str
) -> RunningProcess:
    environment = {
        "KEYTURN_REDIS_URL": redis_url,
        "KEYTURN_FLEET_KEYS": FLEET_KEY,
        "KEYTURN_PUBLIC_URL": BASE_URL,
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_PORT": str(port),
        "KEYTURN_NODE_ID": "node-a",
        "KEYTURN_FETCHER_ENABLED": "false",
    }
    command = [sys.executable, "-m", "keyturn", "verifier", *options]
    return processes.start(command, environment=environment | settings)


async def start_node(
    processes: Processes,
    filling: Filling,
    redis_url: str,
    *,
    workers: int = 2,
    tls: ssl.SSLContext | None = None,
    **settings: str,
) -> Node:
    """Start a node and wait until every worker is ready."""
    port = find_free_port()
    parent = start_parent(processes, redis_url, port, "--workers", str(workers), **settings)
    node = Node(parent, port, filling, tls)
    await node.all_ready(workers)
    return node


def is_running(pid: int) -> bool:
    """Tell whether a process runs. One that has ended and is not yet collected does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


async def until_ended(pids: dict[str, int]) -> None:
    await wait_until(lambda: not any(is_running(pid) for pid in pids.values()))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
