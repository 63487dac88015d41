"""The processes of compose.yaml: PostgreSQL, Redis, credentials services, nodes, a fetcher and nginx."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.testkit.admin_client import ADMIN_ID, ADMIN_SECRET
from tests.testkit.nginx import ready_file
from tests.testkit.ports import find_free_port, find_free_ports
from tests.testkit.postgres import PostgresServer
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import SentinelGroup
from tests.topology.components import THIS, Database, Gateway, RedisPrimary, Release, Service

_LOOPBACK: Final = "127.0.0.0/8"
_PROXY: Final = "127.0.0.1/32"


@dataclass(frozen=True)
class Size:
    """Numbers of processes."""

    credentials: int = 2
    nodes: int = 3
    fetchers: int = 1


@dataclass
class Deployment:
    """``credentials``, ``nodes``, ``fetchers``: the services, in the order in which they are replaced.
    ``node_variables``: of all nodes, in place of those that this deployment gives them;
    ``last_node_variables``: of the last one alone."""

    directory: Path
    size: Size
    release: Release = THIS
    node_variables: Mapping[str, str] = field(default_factory=dict)
    last_node_variables: Mapping[str, str] = field(default_factory=dict)
    credentials: list[Service] = field(default_factory=list)
    nodes: list[Service] = field(default_factory=list)
    fetchers: list[Service] = field(default_factory=list)
    _ends: ExitStack = field(default_factory=ExitStack)

    @property
    def services(self) -> list[Service]:
        return [*self.credentials, *self.nodes, *self.fetchers]

    @property
    def base_url(self) -> str:
        return self.gateway.base_url

    async def start(self) -> None:
        """Start everything and wait until it is ready."""
        processes = Processes(self.directory)
        postgres = PostgresServer(fsync="on", full_page_writes="on", autovacuum="on")
        self._ends.callback(postgres.close)
        self._ends.callback(processes.end_all)
        group, _ = await asyncio.gather(
            SentinelGroup.start(processes, self.directory / "redis"), asyncio.to_thread(postgres.start)
        )
        self.redis, self.database = RedisPrimary(group), Database(postgres)
        front = find_free_port()
        base_url = f"http://127.0.0.1:{front}"
        self.database_name = postgres.create_database()
        self._make_services(processes, postgres.url(self.database_name), group.url, base_url)
        for service in self.services:
            service.start()
        await asyncio.gather(*(service.until_ready() for service in self.services))
        http = self._http(front, self.release)
        self.gateway = Gateway(base_url, http, processes, self.directory / "nginx")
        await self.gateway.start()

    async def upgrade_gateway(self) -> None:
        """Reload nginx with the files of this release."""
        port = int(self.base_url.rpartition(":")[2])
        self.gateway.http = self._http(port, THIS)
        await self.gateway.restart()

    def end(self) -> None:
        """End every process."""
        self._ends.close()

    def _http(self, front: int, release: Release) -> str:
        ports = [service.port for service in self.credentials], [service.port for service in self.nodes]
        beside = "" if release.beside is None else release.beside.read_text()
        return beside + ready_file(front, *ports, release.ready_file)

    def _make_services(self, processes: Processes, database_url: str, redis_url: str, base_url: str) -> None:
        log, fetcher = LogSigningKeys.generate_key(), LogSigningKeys.generate_key()
        common = {
            "KEYTURN_PUBLIC_URL": base_url,
            "KEYTURN_REDIS_URL": redis_url,
            "KEYTURN_LOG_LEVEL": "info",
        }
        shared = {"KEYTURN_FLEET_KEYS": KeyRing.generate_key(), "KEYTURN_TRUSTED_PROXIES": _PROXY}
        of_credentials = {
            "KEYTURN_DATABASE_URL": database_url,
            "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
            "KEYTURN_REALM_SEALS": "true",
            "KEYTURN_LOG_SIGNING_KEYS": log,
            "KEYTURN_FETCHER_VERIFICATION_KEYS": _public(fetcher),
            "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_ID,
            "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": ADMIN_SECRET,
        }
        of_fetchers = {"KEYTURN_FETCHER_KEYS": fetcher, "KEYTURN_JWKS_ALLOWED_NETWORKS": _LOOPBACK}

        def make(role: str, count: int, variables: dict[str, str]) -> list[Service]:
            return [
                Service(
                    f"{role}-{number}",
                    role,
                    port,
                    common
                    | variables
                    | ({"KEYTURN_NODE_ID": f"verifier-{number}"} if role == "verifier" else {}),
                    processes,
                    self.directory,
                    self.release,
                )
                for number, port in enumerate(find_free_ports(count), 1)
            ]

        self.credentials = make("credentials", self.size.credentials, shared | of_credentials)
        of_nodes = (
            shared
            | of_fetchers
            | {
                "KEYTURN_LOG_VERIFICATION_KEYS": _public(log),
                "KEYTURN_CREDENTIALS_URL": self.credentials[0].url,
                # Ended secrets are presented all the time, and each answer must come from the secret itself.
                "KEYTURN_FAILURE_LIMIT_CLIENT": "0",
                "KEYTURN_FAILURE_LIMIT_ADDRESS": "0",
            }
            | dict(self.node_variables)
        )
        self.nodes = make("verifier", self.size.nodes, of_nodes)
        self.nodes[-1].variables |= self.last_node_variables
        self.fetchers = make("fetcher", self.size.fetchers, of_fetchers)


def _public(key: str) -> str:
    return LogSigningKeys.from_text(key).public_keys
