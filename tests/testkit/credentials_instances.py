"""Credentials services as real processes on one database and one Redis."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from keyturn.stack.parent import ending_with_parent
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.settings import CredentialsSettings
from tests.testkit.admin_api import settings_for
from tests.testkit.credentials_process import environment
from tests.testkit.ending import kill_process
from tests.testkit.ports import find_free_port, find_free_ports
from tests.testkit.postgres import PostgresServer
from tests.testkit.single_request import until_ready

_STOP_SECONDS = 60.0
READY_SECONDS = 120.0


@dataclass
class Instance:
    """One process; after a restart it has the same address. ``service``: which one it is. ``variables``: its
    environment, by default that of the credentials service. ``module``: that runs the service."""

    name: str
    port: int
    settings: CredentialsSettings
    log: Path
    service: str = "credentials"
    variables: dict[str, str] | None = None
    module: str = "keyturn"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        variables = self.variables or environment(self.settings, self.port)
        self.process = _launch(self.module, self.service, variables, self.log)

    def kill(self) -> None:
        """Kill it, as ``kill -9`` does."""
        if self.process is not None:
            kill_process(self.process)

    def stop(self) -> int:
        """Stop it like an operator; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(_STOP_SECONDS)


@dataclass
class Surroundings:
    """A database, a Redis and the instances on them, in their own directory. ``notices_check_seconds``: the
    setting of the instances."""

    directory: Path
    database: str
    count: int
    instances: list[Instance] = field(default_factory=list)
    postgres: PostgresServer | None = None
    notices_check_seconds: float = 60.0
    _stack: ExitStack = field(default_factory=ExitStack)

    async def start(self) -> Self:
        self.redis = EmbeddedRedis(self.directory / "redis").start()
        self._stack.callback(self.redis.stop)
        if self.database == "postgresql":
            self.postgres = PostgresServer()
            self._stack.callback(self.postgres.close)
            self.postgres.start()
            self.database_name = self.postgres.create_database()
            url = self.postgres.url(self.database_name)
        else:
            url = f"sqlite+aiosqlite:///{self.directory / 'keyturn.db'}"
        self.settings = settings_for(url, self.redis.url, notices_check_seconds=self.notices_check_seconds)
        for number, port in enumerate(find_free_ports(self.count)):
            log = self.directory / f"credentials-{number}.log"
            self.instances.append(Instance(f"credentials-{number}", port, self.settings, log))
        for instance in self.instances:
            self._stack.callback(instance.kill)
            instance.start()
        await asyncio.gather(*(until_ready(each.url, seconds=READY_SECONDS) for each in self.instances))
        return self

    async def start_node(self) -> str:
        """Start a verifier node that runs until they are closed; return its URL."""
        return (await self.make_node("node")).url

    async def make_node(self, name: str, *, module: str = "keyturn", **more: str) -> Instance:
        """Start a verifier node that runs until they are closed. ``module``: instead of keyturn's own.
        ``more``: variables."""
        port = find_free_port()
        settings = self.settings
        ours = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
        environment = ours | {
            "KEYTURN_REDIS_URL": settings.redis_url,
            "KEYTURN_PUBLIC_URL": settings.base_url,
            "KEYTURN_PORT": str(port),
            "KEYTURN_FLEET_KEYS": settings.fleet_keys.get_secret_value(),
            **more,
        }
        log = self.directory / f"{name}.log"
        node = Instance(name, port, settings, log, "verifier", environment, module)
        self._stack.callback(node.kill)
        node.start()
        await until_ready(node.url, seconds=READY_SECONDS)
        return node

    def close(self) -> None:
        self._stack.close()


def _launch(module: str, service: str, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as written:
        return subprocess.Popen(
            [sys.executable, "-m", module, service],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            preexec_fn=ending_with_parent(signal.SIGKILL),
        )
