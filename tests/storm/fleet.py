"""The processes of a storm: Redis with a replica and a Sentinel, one credentials service, many nodes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.stack.redis_server import find_redis_server
from keyturn_shared.sealing import KeyRing
from tests.storm.http import NoAnswerError, send

ADMIN_ID, ADMIN_SECRET = "storm-admin", "storm-admin-secret-of-more-than-32-bytes"
REDIS_SERVERS = 3
_SERVICE = "storm"


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
class Process:
    """A real process; every signal goes to it by its own id."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path
    handle: subprocess.Popen[bytes] | None = None
    stopped: bool = False

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.handle = subprocess.Popen(
                self.arguments, env=self.environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
        self.stopped = False

    def signal(self, number: signal.Signals) -> None:
        if self.handle is not None and self.handle.poll() is None:
            self.handle.send_signal(number)
            self.stopped = number is signal.SIGSTOP or (self.stopped and number is not signal.SIGCONT)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.handle is not None:
            self.handle.wait(10)

    @property
    def alive(self) -> bool:
        return self.handle is not None and self.handle.poll() is None


@dataclass
class StormFleet:
    """Starts everything in a directory of its own and ends it by process id."""

    directory: Path
    node_count: int
    processes: list[Process] = field(default_factory=list)

    async def start(self) -> None:
        ports = free_ports(self.node_count + REDIS_SERVERS + 2)
        self.redis_ports, ports = ports[:REDIS_SERVERS], ports[REDIS_SERVERS:]
        self.sentinel_port, credentials_port, *node_ports = ports
        self.base_url = f"http://127.0.0.1:{credentials_port}"
        self.redis = [self._redis(index) for index in range(REDIS_SERVERS)]
        for process in self.redis:
            process.start()
        await self._until_redis_answers()
        self._sentinel().start()
        common = os.environ | {
            "KEYTURN_REDIS_URL": f"redis+sentinel://127.0.0.1:{self.sentinel_port}/{_SERVICE}",
            "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
            "KEYTURN_PUBLIC_URL": self.base_url,
            "KEYTURN_HOST": "127.0.0.1",
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
            },
        )
        self.credentials.start()
        self.nodes = [
            self._service(
                "verifier",
                common | {"KEYTURN_PORT": str(port), "KEYTURN_NODE_URL": f"http://127.0.0.1:{port}"},
            )
            for port in node_ports
        ]
        self.node_urls = [f"http://127.0.0.1:{port}" for port in node_ports]
        for node in self.nodes:
            node.start()
        for url in [self.base_url, *self.node_urls]:
            await until_ready(url, seconds=60)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGTERM)
        for process in reversed(self.processes):
            if process.handle is not None:
                try:
                    process.handle.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()

    def start_as_primary(self, redis: Process) -> None:
        """Start a Redis as what it was when it died, not as the replica it may have begun as."""
        if "--replicaof" in redis.arguments:
            redis.arguments = list(redis.arguments[: redis.arguments.index("--replicaof")])
        redis.start()

    async def fail_over(self) -> None:
        """Ask the Sentinel to make the replica the primary."""
        await self._ask_sentinel("FAILOVER")

    async def primary_port(self) -> int:
        answer = await self._ask_sentinel("GET-MASTER-ADDR-BY-NAME")
        return int(answer.split()[-1])

    async def _ask_sentinel(self, command: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.sentinel_port)
        writer.write(f"SENTINEL {command} {_SERVICE}\r\n".encode())
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(4096), 5)
        writer.close()
        return answer.decode()

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
        log = self.directory / f"{name}-{len(self.processes)}.log"
        process = Process(name, arguments, environment, log)
        self.processes.append(process)
        return process


async def until_ready(url: str, *, seconds: float) -> None:
    """Wait until ``/health/ready`` answers 200. Raises TimeoutError."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        try:
            if (await send("GET", f"{url}/health/ready", timeout=2)).status == 200:
                return
        except NoAnswerError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{url} did not become ready within {seconds} s")
