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
from tests.storm.fleet import free_ports, until_ready
from tests.support.admin_api import settings_for
from tests.support.postgres import PostgresServer

_STOP_SECONDS = 15.0
READY_SECONDS = 60.0


@dataclass
class Instance:
    """One process; started again it has the same address."""

    name: str
    port: int
    settings: CredentialsSettings
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "keyturn", "credentials"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=ending_with_parent(signal.SIGKILL),
            )

    def kill(self) -> None:
        """As ``kill -9`` does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(_STOP_SECONDS)

    def stop(self) -> int:
        """As an operator would; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(_STOP_SECONDS)

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
        settings = self.settings
        secret = settings.bootstrap_admin_client_secret
        return ours | {
            "KEYTURN_DATABASE_URL": settings.database_url,
            "KEYTURN_REDIS_URL": settings.redis_url,
            "KEYTURN_PUBLIC_URL": settings.base_url,
            "KEYTURN_PORT": str(self.port),
            "KEYTURN_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
            "KEYTURN_FLEET_KEYS": settings.fleet_keys.get_secret_value(),
            "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": settings.bootstrap_admin_client_id,
            "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": secret.get_secret_value() if secret else "",
        }


@dataclass
class Surroundings:
    """A database, a Redis and the instances on them, in a directory of their own."""

    directory: Path
    database: str
    count: int
    instances: list[Instance] = field(default_factory=list)
    postgres: PostgresServer | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    async def start(self) -> Self:
        self.redis = EmbeddedRedis(self.directory / "redis").start()
        self._stack.callback(self.redis.stop)
        if self.database == "postgresql":
            self.postgres = PostgresServer().start()
            self._stack.callback(self.postgres.close)
            url = self.postgres.url(self.postgres.create_database())
        else:
            url = f"sqlite+aiosqlite:///{self.directory / 'keyturn.db'}"
        self.settings = settings_for(url, self.redis.url)
        for number, port in enumerate(free_ports(self.count)):
            log = self.directory / f"credentials-{number}.log"
            self.instances.append(Instance(f"credentials-{number}", port, self.settings, log))
        for instance in self.instances:
            self._stack.callback(instance.kill)
            instance.start()
        await asyncio.gather(*(until_ready(each.url, seconds=READY_SECONDS) for each in self.instances))
        return self

    def close(self) -> None:
        self._stack.close()
