"""Servers as separate processes, and each attack on each of them."""

import asyncio
import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.credentials.service import LOAD_CORE, SERVICE_CORE, BenchmarkedService
from benchmarks.drip.attacker import HANDSHAKES, KINDS
from benchmarks.drip.others import Answer, Seen, ask, processor_seconds, resident_mib
from benchmarks.verifier.target import Target, form_request, start_node
from benchmarks.verifier.token_endpoint import CLIENT, SECRET, fill
from keyturn.stack.gateway import gateway_configuration
from keyturn.stack.nginx import CONFIGURATION, connection_limit, find_nginx, nginx_command
from keyturn.stack.redis_server import EmbeddedRedis
from tests.testkit.ports import find_free_port
from tests.testkit.tls import ServerTls
from tests.testkit.waiting import until_ready

SERVERS: Final = ("node", "node with TLS", "credentials service", "gateway")
_START_SECONDS: Final = 180.0


@dataclass(frozen=True)
class Attacked:
    """A running server. ``request``: of the honest callers."""

    port: int
    pid: int
    request: bytes
    trust: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Result:
    """View of the honest callers before and during an attack. Memory in MiB. ``busy``: share of the time in
    which the server's processor worked for it."""

    server: str
    kind: str
    before: Seen
    during: Seen
    memory_before: float
    memory_after: float
    busy_before: float
    busy_during: float
    connections: int
    ended: int
    octets: int

    @property
    def is_undisturbed(self) -> bool:
        """True if every request succeeded: a node without a lease would have refused it."""
        return set(self.during.statuses) == {200}


async def measure(
    server: str, kinds: Iterable[str] | None = None, *, before_seconds: float, seconds: float, rounds: int = 1
) -> list[Result]:
    """Run the attacks on a server, one after the other. ``kinds``: None for all possible ones.
    ``before_seconds``: of the time before each attack, ``seconds``: of each attack. ``rounds``: of both, in
    turn; what else disturbs the machine then disturbs both."""
    async with _running(server) as attacked:
        await _ask(attacked, min(1.0, seconds))
        return [
            await _measure(attacked, server, kind, before_seconds, seconds, rounds)
            for kind in kinds or [*KINDS, *(HANDSHAKES if attacked.trust else ())]
        ]


async def _measure(
    attacked: Attacked, server: str, kind: str, before_seconds: float, seconds: float, rounds: int
) -> Result:
    memory = resident_mib(attacked.pid)
    quiet, besieged = Watched(), Watched()
    sent: Counter[str] = Counter()
    for _ in range(rounds):
        await quiet.watch(attacked, before_seconds)
        attacker = _attack(attacked, kind, seconds)
        await besieged.watch(attacked, seconds)
        output, _ = await asyncio.to_thread(attacker.communicate, timeout=seconds + 60)
        sent.update(json.loads(output))
    return Result(
        server,
        kind,
        Seen.of(quiet.answers),
        Seen.of(besieged.answers),
        memory,
        resident_mib(attacked.pid),
        quiet.busy,
        besieged.busy,
        **sent,
    )


class Watched:
    """Answers to honest callers, and the use of the server's processor, in some periods of time."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._seconds = 0.0
        self._used = 0.0

    async def watch(self, attacked: Attacked, seconds: float) -> None:
        used, begun = processor_seconds(attacked.pid), time.perf_counter()
        self.answers += await _ask(attacked, seconds)
        self._used += processor_seconds(attacked.pid) - used
        self._seconds += time.perf_counter() - begun

    @property
    def busy(self) -> float:
        """The share of the time in which the processor worked for the server."""
        return self._used / self._seconds


async def _ask(attacked: Attacked, seconds: float) -> list[Answer]:
    return await ask(attacked.port, attacked.request, seconds=seconds, trust=attacked.trust)


def take_precedence() -> None:
    """Give the measured processes, and what they start, the highest priority, where permitted.

    The attacker shares a core with the caller and Redis. A fair scheduler lets it finish its slice of 3 ms
    first, which would be measured.
    """
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def _attack(attacked: Attacked, kind: str, seconds: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.drip.attacker"]
    command += ["--port", str(attacked.port), "--kind", kind, "--seconds", str(seconds)]
    command += ["--tls"] if attacked.trust else []
    return subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=_give_precedence)


def _give_precedence() -> None:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.nice(10)


def _start_nginx(directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "nginx.log").open("ab") as log:
        return subprocess.Popen(
            nginx_command(find_nginx(), directory),
            stdin=subprocess.DEVNULL,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVICE_CORE}),
        )


@asynccontextmanager
async def _running(server: str) -> AsyncIterator[Attacked]:
    async with AsyncExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        if server == "credentials service":
            service = BenchmarkedService()
            stack.callback(service.close)
            await service.start("sqlite", 10)
            yield Attacked(service.port, service.process.pid, service.request("GET", "/master"))
            return
        behind = server == "gateway"
        node = await _node(
            stack.enter_context(ExitStack()),
            core=LOAD_CORE if behind else SERVICE_CORE,
            tls=server.endswith("TLS"),
        )
        yield await _gateway(stack.enter_context(ExitStack()), node) if behind else node


async def _gateway(stack: ExitStack, node: Attacked) -> Attacked:
    """Run nginx like ``keyturn up`` in front of the node, with the core to itself."""
    directory, port = Path(tempfile.mkdtemp(prefix="keyturn-bench-")), find_free_port()
    url = f"http://127.0.0.1:{node.port}"
    addresses = (f"127.0.0.1:{port}", f"127.0.0.1:{find_free_port()}")
    configuration = gateway_configuration(*addresses, url, [url], connections=connection_limit())
    (directory / CONFIGURATION).write_text(configuration)
    process = _start_nginx(directory)
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)
    await until_ready(f"http://127.0.0.1:{port}", seconds=_START_SECONDS)
    return Attacked(port, process.pid, node.request)


async def _node(stack: ExitStack, *, core: int, tls: bool) -> Attacked:
    os.sched_setaffinity(0, {LOAD_CORE})  # inherited by what is started from here
    directory = Path(tempfile.mkdtemp(prefix="keyturn-bench-"))
    redis = EmbeddedRedis(directory / "redis").start()
    stack.callback(redis.stop)
    await fill(redis.url)
    port = find_free_port()
    files = ServerTls.make(directory)
    paths = (files.certificate, files.key)
    names = ("KEYTURN_TLS_CERTIFICATE_PATH", "KEYTURN_TLS_KEY_PATH")
    settings = dict(zip(names, map(str, paths), strict=True)) if tls else {}
    process = start_node(redis.url, port, directory / "node.log", core=str(core), **settings)
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)
    trust = ssl.create_default_context(cafile=str(files.authority)) if tls else None
    await until_ready(f"http{'s' * tls}://127.0.0.1:{port}", seconds=_START_SECONDS, trust=trust)
    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    target = Target.of_keyturn(port, "basic")
    request = form_request(target, "grant_type=client_credentials", f"Authorization: Basic {pair}\r\n")
    return Attacked(port, process.pid, request, trust)
