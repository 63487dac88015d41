"""Processes of a storm: PostgreSQL, Redis with two replicas and a Sentinel, one credentials service, many
nodes, and nginx in front. They reach each other through the edges."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from keyturn.stack.nginx import find_nginx
from keyturn.stack.redis_server import find_redis_server
from keyturn_shared.sealing import KeyRing
from tests.storm import edges
from tests.storm.edges import Edges
from tests.storm.process import Process
from tests.testkit.admin_client import ADMIN_ID, ADMIN_SECRET
from tests.testkit.certificates import Issued, make_authority
from tests.testkit.ending import end_each
from tests.testkit.http_client import NoAnswerError, Server
from tests.testkit.jwks_server import serving
from tests.testkit.nginx import ready_file, serve_nginx
from tests.testkit.ports import find_free_ports
from tests.testkit.postgres import PostgresServer
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

REDIS_SERVERS = 3
_SERVICE = "storm"
_CONNECTIONS_A_NODE = 8
_CONNECTIONS_OF_GATEWAY = 40
_CONNECTIONS_OF_CALLERS = 4000
_POSTGRES_SOCKET = ".s.PGSQL.5432"


@dataclass
class StormFleet:
    """Starts everything in its own directory and ends it by process id.

    ``lease``: seconds. ``staleness``: seconds without a look at the database after which nodes refuse.
    ``without``: the protections that each of the first nodes lacks, which the check must detect.
    """

    directory: Path
    node_count: int
    lease: float
    staleness: float
    without: Sequence[str] = ()
    sqlite: bool = False
    processes: list[Process] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    authority: Issued = field(default_factory=make_authority)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        self.edges = Edges(self.stack)
        ports = find_free_ports(self.node_count + REDIS_SERVERS + 3)
        self.redis_ports, ports = ports[:REDIS_SERVERS], ports[REDIS_SERVERS:]
        self.sentinel_port, gateway_port, credentials_port, *node_ports = ports
        self.redis = [self._redis(index) for index in range(REDIS_SERVERS)]
        for process in self.redis:
            process.start()
        await self._until_redis_answers()
        self._sentinel().start()
        self.jwks = await self.stack.enter_async_context(serving())
        admin = await self.edges.lead_to(edges.CALLERS_CREDENTIALS, credentials_port)
        self.admin_server = Server(_url(admin), connections=_CONNECTIONS_OF_CALLERS)
        nodes = [await self.edges.lead_to(edges.CALLERS_NODES, port) for port in node_ports]
        self.servers = [Server(_url(port), connections=_CONNECTIONS_A_NODE) for port in nodes]
        gateway = await self.edges.lead_to(edges.CALLERS_GATEWAY, gateway_port)
        self.gateway = Server(_url(gateway), connections=_CONNECTIONS_OF_GATEWAY)
        self.jwks_url = _url(await self.edges.lead_to(edges.NODES_JWKS, urlsplit(self.jwks.base).port or 0))
        await self._start_services(credentials_port, node_ports)
        await self._start_gateway(gateway_port, admin, nodes)
        for server in (self.admin_server, *self.servers, self.gateway):
            await until_ready(server, seconds=180)

    async def _start_services(self, credentials_port: int, node_ports: list[int]) -> None:
        common = os.environ | {
            "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
            "KEYTURN_PUBLIC_URL": self.gateway.base_url,
            "KEYTURN_HOST": "127.0.0.1",
            "KEYTURN_LOG_LEVEL": "warning",
        }
        self.credentials = self._service(
            "credentials",
            common
            | {
                "KEYTURN_REDIS_URL": await self._redis_url(edges.CREDENTIALS_REDIS),
                "KEYTURN_PORT": str(credentials_port),
                "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
                "KEYTURN_DATABASE_URL": await self._database_url(),
                "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_ID,
                "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": ADMIN_SECRET,
                "KEYTURN_LEASE_SECONDS": str(self.lease),
                "KEYTURN_LOG_LEVEL": "info",
            },
        )
        # All clocks are this machine's, so the replay barrier need not allow for a wrong one.
        of_nodes = common | {"KEYTURN_CLOCK_SKEW": "1", "KEYTURN_MAX_STALENESS": str(self.staleness)}
        credentials = await self.edges.lead_to(edges.NODES_CREDENTIALS, credentials_port)
        of_nodes |= {"KEYTURN_CREDENTIALS_URL": _url(credentials)}
        of_nodes |= {"KEYTURN_JWKS_ALLOWED_NETWORKS": "127.0.0.0/8", "KEYTURN_JWKS_MIN_INTERVAL": "1"}
        # The storm presents certificates like a proxy that has checked the handshake (RFC 9440).
        (self.directory / "authorities.pem").write_bytes(self.authority.pem)
        of_nodes |= {
            "KEYTURN_CLIENT_AUTHORITIES_PATH": str(self.directory / "authorities.pem"),
            "KEYTURN_CLIENT_CERT_PROXIES": "127.0.0.0/8",
        }
        # A storm's probes fail by the thousand, and none of them may be throttled.
        of_nodes |= {"KEYTURN_FAILURE_LIMIT_CLIENT": "0", "KEYTURN_FAILURE_LIMIT_ADDRESS": "0"}
        self.nodes = [
            self._service(
                "verifier",
                of_nodes
                | {
                    "KEYTURN_PORT": str(port),
                    "KEYTURN_NODE_ID": f"node-{number}",
                    "KEYTURN_REDIS_URL": await self._redis_url(edges.NODES_REDIS),
                },
                without=self.without[number] if number < len(self.without) else "",
            )
            for number, port in enumerate(node_ports)
        ]
        for process in (self.credentials, *self.nodes):
            process.start()

    async def _redis_url(self, edge: str) -> str:
        port = await self.edges.lead_to_redis(edge, self.sentinel_port, self.redis_ports)
        return f"redis+sentinel://127.0.0.1:{port}/{_SERVICE}"

    async def _database_url(self) -> str:
        if self.sqlite:
            return f"sqlite+aiosqlite:///{self.directory / 'storm.db'}"
        database = PostgresServer()
        self.stack.callback(database.close)
        database.start()
        socket_path = database.directory / _POSTGRES_SOCKET
        port = await self.edges.lead_to(edges.CREDENTIALS_DATABASE, socket_path)
        return f"postgresql+asyncpg://keyturn@127.0.0.1:{port}/{database.create_database()}"

    async def _start_gateway(self, port: int, credentials: int, nodes: list[int]) -> None:
        others, folder = Processes(self.directory), self.directory / "nginx"
        self.stack.callback(others.end_all)
        folder.mkdir()
        await serve_nginx(find_nginx(), others, folder, ready_file(port, credentials, nodes), _url(port))

    async def stop(self) -> None:
        """Stop everything, even if ``start`` has failed."""
        self._end_processes()
        await self.stack.aclose()

    def _end_processes(self) -> None:
        for process in reversed(self.processes):
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGTERM)
        end_each(process.end for process in self.processes)
        named = (getattr(self, name, None) for name in ("admin_server", "gateway"))
        for server in (*named, *self.servers):
            if server is not None:
                server.close()

    def start_as_primary(self, redis: Process) -> None:
        """Start a Redis in the role it had when it died, not as the replica it may have been."""
        if "--replicaof" in redis.arguments:
            redis.arguments = list(redis.arguments[: redis.arguments.index("--replicaof")])
        redis.start()

    async def primary_port(self) -> int:
        """Return the primary's port by the Sentinel. Raises OSError, TimeoutError, ValueError."""
        return int((await self.ask_sentinel("GET-MASTER-ADDR-BY-NAME")).split()[-1])

    async def primary(self) -> Process:
        return self.redis[self.redis_ports.index(await self.primary_port())]

    async def ask_sentinel(self, command: str) -> str:
        """Send a command. Raises OSError, TimeoutError, and ValueError for a refusal."""
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.sentinel_port)
            try:
                writer.write(f"SENTINEL {command} {_SERVICE}\r\n".encode())
                await writer.drain()
                answer = (await reader.read(4096)).decode()
            finally:
                writer.close()
        if answer.startswith("-"):
            raise ValueError(answer)
        return answer

    async def _until_redis_answers(self) -> None:
        async def answers(port: int) -> bool:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            return False

        for port in self.redis_ports:
            await wait_until(partial(answers, port))

    def _redis(self, index: int) -> Process:
        folder = self.directory / f"redis-{index}"
        folder.mkdir()
        options = ["--port", str(self.redis_ports[index]), "--bind", "127.0.0.1", "--dir", str(folder)]
        options += ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"]
        # Without these two an old primary that is cut off would go on granting leases.
        options += ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"]
        options += ["--repl-ping-replica-period", "1"]
        if index > 0:
            options += ["--replicaof", "127.0.0.1", str(self.redis_ports[0])]
        return self._process(f"redis-{index}", [str(find_redis_server()), *options], dict(os.environ))

    def _sentinel(self) -> Process:
        config = self.directory / "sentinel.conf"
        config.write_text(
            f"port {self.sentinel_port}\nbind 127.0.0.1\n"
            f"sentinel monitor {_SERVICE} 127.0.0.1 {self.redis_ports[0]} 1\n"
            f"sentinel down-after-milliseconds {_SERVICE} 1500\n"
            f"sentinel failover-timeout {_SERVICE} 4000\n"
        )
        arguments = [str(find_redis_server()), str(config), "--sentinel"]
        return self._process("sentinel", arguments, dict(os.environ))

    def _service(self, name: str, environment: dict[str, str], *, without: str = "") -> Process:
        program = ["tests.storm.without", without] if without else ["keyturn.cli"]
        return self._process(name, [sys.executable, "-m", *program, name], environment)

    def _process(self, name: str, arguments: list[str], environment: dict[str, str]) -> Process:
        log = self.directory / f"{len(self.processes):02}-{name}.log"
        process = Process(name, arguments, environment, log)
        self.processes.append(process)
        return process


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def until_ready(server: Server, *, seconds: float) -> None:
    """Wait until ``/health/ready`` answers 200. Raises TimeoutError."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        try:
            if (await server.ask("GET", "/health/ready", timeout=2)).status == 200:
                return
        except NoAnswerError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{server.base_url} did not become ready within {seconds} s")
