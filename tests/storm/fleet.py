"""The processes of a storm: Redis with two replicas and a Sentinel, one credentials service, many nodes."""

import asyncio
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.stack.redis_server import find_redis_server
from keyturn_shared.sealing import KeyRing
from tests.storm.admin import ADMIN_ID, ADMIN_SECRET
from tests.storm.http import NoAnswerError, Server
from tests.storm.process import Process

REDIS_SERVERS = 3
_SERVICE = "storm"
_CONNECTIONS_A_NODE = 4
_CONNECTIONS_OF_CALLERS = 4000


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass
class StormFleet:
    """Starts everything in a directory of its own and ends it by process id. ``lease``: seconds."""

    directory: Path
    node_count: int
    lease: float
    processes: list[Process] = field(default_factory=list)

    async def start(self) -> None:
        ports = free_ports(self.node_count + REDIS_SERVERS + 2)
        self.redis_ports, ports = ports[:REDIS_SERVERS], ports[REDIS_SERVERS:]
        self.sentinel_port, credentials_port, *node_ports = ports
        self.redis = [self._redis(index) for index in range(REDIS_SERVERS)]
        for process in self.redis:
            process.start()
        await self._until_redis_answers()
        self._sentinel().start()
        self.admin_server = Server(
            f"http://127.0.0.1:{credentials_port}", connections=_CONNECTIONS_OF_CALLERS
        )
        self.servers = [
            Server(f"http://127.0.0.1:{port}", connections=_CONNECTIONS_A_NODE) for port in node_ports
        ]
        self._start_services(credentials_port, node_ports)
        for server in (self.admin_server, *self.servers):
            await until_ready(server, seconds=90)

    def _start_services(self, credentials_port: int, node_ports: list[int]) -> None:
        common = os.environ | {
            "KEYTURN_REDIS_URL": f"redis+sentinel://127.0.0.1:{self.sentinel_port}/{_SERVICE}",
            "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
            "KEYTURN_PUBLIC_URL": self.admin_server.base_url,
            "KEYTURN_HOST": "127.0.0.1",
            "KEYTURN_LOG_LEVEL": "warning",
        }
        self.credentials = self._service(
            "credentials",
            common
            | {
                "KEYTURN_PORT": str(credentials_port),
                "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
                "KEYTURN_DATABASE_URL": f"sqlite+aiosqlite:///{self.directory / 'storm.db'}",
                "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_ID,
                "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": ADMIN_SECRET,
                "KEYTURN_LEASE_SECONDS": str(self.lease),
                "KEYTURN_LOG_LEVEL": "info",
            },
        )
        # All clocks are this machine's, so the replay barrier need not outlast a clock that is off by much.
        of_nodes = common | {"KEYTURN_CLOCK_SKEW": "1", "KEYTURN_FETCHER_ENABLED": "false"}
        # A storm's probes are failures by the thousand, and none of them is to be turned away unread.
        of_nodes |= {"KEYTURN_FAILURE_LIMIT_CLIENT": "0", "KEYTURN_FAILURE_LIMIT_ADDRESS": "0"}
        self.nodes = [
            self._service(
                "verifier",
                of_nodes | {"KEYTURN_PORT": str(port), "KEYTURN_NODE_ID": f"node-{number}"},
            )
            for number, port in enumerate(node_ports)
        ]
        for process in (self.credentials, *self.nodes):
            process.start()

    def stop(self) -> None:
        for server in (self.admin_server, *self.servers):
            server.close()
        for process in reversed(self.processes):
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGTERM)
        for process in reversed(self.processes):
            process.end()

    def start_as_primary(self, redis: Process) -> None:
        """Start a Redis as what it was when it died, not as the replica it may have begun as."""
        if "--replicaof" in redis.arguments:
            redis.arguments = list(redis.arguments[: redis.arguments.index("--replicaof")])
        redis.start()

    async def primary_port(self) -> int:
        """Where the Sentinel says that the primary is. Raises OSError, TimeoutError, ValueError."""
        return int((await self.ask_sentinel("GET-MASTER-ADDR-BY-NAME")).split()[-1])

    async def primary(self) -> Process:
        return self.redis[self.redis_ports.index(await self.primary_port())]

    async def ask_sentinel(self, command: str) -> str:
        """Raises OSError, TimeoutError, and ValueError for a refusal."""
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
        for port in self.redis_ports:
            for _ in range(200):
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break

    def _redis(self, index: int) -> Process:
        folder = self.directory / f"redis-{index}"
        folder.mkdir()
        options = ["--port", str(self.redis_ports[index]), "--bind", "127.0.0.1", "--dir", str(folder)]
        options += ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"]
        # Without these two an old primary that is cut off would go on giving leases.
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

    def _service(self, name: str, environment: dict[str, str]) -> Process:
        return self._process(name, [sys.executable, "-m", "keyturn.cli", name], environment)

    def _process(self, name: str, arguments: list[str], environment: dict[str, str]) -> Process:
        log = self.directory / f"{len(self.processes):02}-{name}.log"
        process = Process(name, arguments, environment, log)
        self.processes.append(process)
        return process


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
