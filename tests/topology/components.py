"""The components of the topology, each of which can be restarted and killed."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from keyturn.stack.nginx import find_nginx, nginx_command
from tests.testkit.nginx import KEPT_CONNECTIONS, READY_FILE
from tests.testkit.postgres import PostgresServer
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.redis_groups import SentinelGroup
from tests.testkit.waiting import until_ready, wait_until

START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 30.0
_WORKERS: Final = 2


class Restartable(Protocol):
    """A component that an operator restarts while others work."""

    name: str

    async def restart(self) -> None:
        """Restart as an operator does, and wait until it is ready."""
        ...


class Killable(Protocol):
    """A component that may die at any moment."""

    name: str

    async def kill(self) -> None:
        """Kill it as ``kill -9`` does, start it again, and wait until it is ready."""
        ...


@dataclass(frozen=True)
class Release:
    """A release of keyturn. ``variables``: what makes Python find it, none for this checkout. ``ready_file``:
    its file for nginx; ``beside``: what nginx includes as well."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    ready_file: Path = READY_FILE
    beside: Path | None = KEPT_CONNECTIONS


THIS: Final = Release("this release")


@dataclass
class Service:
    """A process of keyturn at one address. ``role``: credentials, verifier or fetcher. The next start is of
    ``release``."""

    name: str
    role: str
    port: int
    variables: dict[str, str]
    processes: Processes
    directory: Path
    release: Release = THIS
    process: RunningProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id, once it was started."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        own = {"KEYTURN_HOST": "127.0.0.1", "KEYTURN_PORT": str(self.port)}
        self.process = self.processes.start(
            [sys.executable, "-m", "keyturn", self.role],
            environment={**self.variables, **own, **self.release.variables},
            cwd=self.directory,
        )

    async def until_ready(self) -> None:
        await until_ready(self.url, seconds=START_SECONDS)

    async def stop(self) -> None:
        """Stop as an operator does."""
        assert self.process is not None
        code = await asyncio.to_thread(self.process.stop, _STOP_SECONDS)
        assert code == 0, f"{self.name} ended with {code}: {self.process.output()[-2000:]}"

    async def restart(self) -> None:
        await self.stop()
        self.start()
        await self.until_ready()

    async def kill(self) -> None:
        assert self.process is not None
        await asyncio.to_thread(self.process.kill)
        self.start()
        await self.until_ready()


@dataclass
class Gateway:
    """nginx with its master process and workers. ``http``: content of its ``http`` block."""

    base_url: str
    http: str
    processes: Processes
    directory: Path
    name: str = "nginx"
    process: RunningProcess | None = None

    @property
    def pid(self) -> int:
        """The id of its master process, once it was started."""
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        self.directory.mkdir(exist_ok=True)
        self._write()
        self.process = self.processes.start(nginx_command(find_nginx(), self.directory))
        await until_ready(self.base_url, seconds=START_SECONDS)

    def _write(self) -> None:
        paths = "".join(
            f"    {name}_temp_path {name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.directory / "nginx.conf").write_text(
            f"user root;\nworker_processes {_WORKERS};\npid nginx.pid;\nerror_log stderr notice;\n"
            f"events {{ worker_connections 256; }}\nhttp {{\n    access_log off;\n{paths}{self.http}\n}}\n"
        )

    async def restart(self) -> None:
        """Reload, and wait until the former workers have ended."""
        process = self.process
        assert process is not None
        self._write()
        ended = "exited with code 0"
        before = process.output().count(ended)
        process.signal(signal.SIGHUP)
        await wait_until(
            lambda: process.output().count(ended) >= before + _WORKERS, timeout=_STOP_SECONDS, interval=0.1
        )

    async def kill(self) -> None:
        assert self.process is not None
        await asyncio.to_thread(self.process.kill)
        await self.start()


@dataclass
class RedisPrimary:
    """The primary of a group with Sentinel; when it is killed, a replica takes over."""

    group: SentinelGroup
    name: str = "Redis primary"

    async def kill(self) -> None:
        server = await self.group.primary()
        await asyncio.to_thread(server.process.kill)
        await self.group.until_other_primary_than(server)
        server.start()
        await wait_until(self.group.whole, timeout=START_SECONDS, interval=0.2)


@dataclass
class Database:
    """PostgreSQL."""

    server: PostgresServer
    name: str = "PostgreSQL"

    async def kill(self) -> None:
        await asyncio.to_thread(self.server.kill)
        await asyncio.to_thread(self.server.start)
