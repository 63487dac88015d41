"""The credentials service as a real process on its own core, with its dependencies on the other one."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from keyturn.stack.parent import ending_with_parent
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.redis_client import connect
from tests.testkit.admin_api import ADMIN_ID, settings_for
from tests.testkit.admin_tokens import AdminTokens
from tests.testkit.credentials_process import environment
from tests.testkit.database_filling import fill
from tests.testkit.ports import find_free_port
from tests.testkit.postgres import PostgresServer
from tests.testkit.redis_reading import fields_of
from tests.testkit.single_request import send, until_ready
from tests.testkit.waiting import wait_until

SERVICE_CORE: Final = 0
LOAD_CORE: Final = 1
_TOKEN_SECONDS: Final = 36_000
_FILL_SECONDS: Final = 1800.0


class BenchmarkedService:
    """Starts everything in its own directory; ``close`` ends it. PostgreSQL runs with its default durability:
    a commit waits for the disk."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="keyturn-bench-"))
        self._stack = ExitStack()

    async def start(self, database: str, clients: int, *, given: CredentialsSettings | None = None) -> Self:
        """Start with this many clients. ``given``: settings of a database that was filled before."""
        os.sched_setaffinity(0, {LOAD_CORE})  # inherited by what is started from here
        redis = EmbeddedRedis(self.directory / "redis").start()
        self._stack.callback(redis.stop)
        self.redis_url = redis.url
        if given is not None:
            self.settings = given.model_copy(update={"redis_url": redis.url})
        else:
            self.settings = settings_for(self._new_database(database), redis.url)
            await fill(self.settings, clients)
        self.port = find_free_port()
        self.process = self._launch()
        os.sched_setaffinity(self.process.pid, {SERVICE_CORE})
        self._stack.callback(self.process.wait, 20)
        self._stack.callback(self.process.terminate)
        await until_ready(f"http://127.0.0.1:{self.port}", seconds=120)
        tokens = AdminTokens(self.settings, SystemClock())
        self.token = await tokens.issue("master", ADMIN_ID, exp=int(time.time()) + _TOKEN_SECONDS)
        await self.until_relayed()
        await self.until_upkept()
        return self

    async def until_relayed(self) -> int:
        """Wait until Redis holds every projection and no event is pending; return the newest sequence."""
        redis = connect(self.redis_url)
        deadline = time.monotonic() + _FILL_SECONDS
        try:
            seen = (b"", b"")
            while True:
                head = await fields_of(redis, Layout().head)
                now = (head.get(b"complete", b""), head.get(b"sequence", b""))
                if now == seen and now[0] == b"1":
                    return int(now[1])
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not relayed; see {self.directory}")
                seen = now
                await asyncio.sleep(0.5)
        finally:
            await redis.aclose()

    async def until_upkept(self) -> None:
        """Wait until the service has done its one-time work after a start."""

        async def is_upkept() -> bool:
            metrics = await send("GET", f"http://127.0.0.1:{self.port}/metrics")
            return b"\nkeyturn_upkeep_rounds_total 0.0" not in metrics.body

        await wait_until(is_upkept, timeout=_FILL_SECONDS, interval=0.5)

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Build a request of the admin API as raw octets; ``path`` begins after ``/admin/realms``."""
        return (
            f"{method} /admin/realms{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def processor_seconds(self) -> float:
        """Return the service's processor time, in user and system mode."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.directory / "credentials.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "keyturn", "credentials"],
                env=environment(self.settings, self.port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=ending_with_parent(signal.SIGKILL),
            )

    def close(self) -> None:
        self._stack.close()

    def _new_database(self, database: str) -> str:
        if database == "sqlite":
            return f"sqlite+aiosqlite:///{self.directory / 'keyturn.db'}"
        durable = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "autovacuum": "on"}
        server = PostgresServer(**durable).start()
        self._stack.callback(server.close)
        return server.url(server.create_database())
