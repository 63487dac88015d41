"""Common parts of these benchmarks: Redis, the JWKS server on another core, nodes."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from keyturn.stack.parent import ending_with_parent
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.clock import SystemClock
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_shared.redis_broker import make_broker
from keyturn_shared.redis_client import connect
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_verifier.key_sets.http_download import GuardedDownload
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.wiring import KeySetWiring, assemble
from tests.testkit.ports import find_free_port
from tests.testkit.waiting import in_time

LOOPBACK = ("127.0.0.0/8",)
REALM = RealmProjection(id="r1", name="bench")
_numbers = itertools.count()


def client_of(url: str) -> ClientProjection:
    number = next(_numbers)
    return ClientProjection(uuid=f"u{number}", realm_id="r1", client_id=f"c{number}", jwks_url=url)


class Site:
    """The running server."""

    def __init__(self, port: int, hosts: int) -> None:
        self._port = port
        self._hosts = hosts

    def url(self, number: int, kind: str = "") -> str:
        host = number % self._hosts
        return f"http://127.1.{host // 200}.{host % 200 + 1}:{self._port}/{kind}{number}"

    async def counts(self) -> dict[str, int]:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            counts: dict[str, int] = (await client.get(self.url(0).rsplit("/", 1)[0] + "/counts")).json()
            return counts

    async def publish(self, number: int, kid: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            await client.get(self.url(0).rsplit("/", 1)[0] + f"/put/{number}/{kid}")


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="keyturn-bench-") as directory:
        server = EmbeddedRedis(Path(directory)).start()
        try:
            yield server.url
        finally:
            server.stop()


@contextlib.asynccontextmanager
async def jwks_server(hosts: int = 250, changing: float = 0.01) -> AsyncIterator[Site]:
    port = find_free_port()
    arguments = ["--hosts", str(hosts), "--port", str(port), "--changing", str(changing)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.key_sets.server", *arguments),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=ending_with_parent(signal.SIGKILL),
    )
    assert process.stdout is not None
    try:
        assert await in_time(process.stdout.readline()) == b"serving\n"
        move(process.pid, last=True)
        yield Site(port, hosts)
    finally:
        process.kill()
        await process.wait()


def move(pid: int, *, last: bool) -> None:
    """Keep the measured process on the first core, and its servers on the last."""
    cores = sorted(os.sched_getaffinity(0)) if pid == 0 else sorted(os.sched_getaffinity(pid))
    os.sched_setaffinity(pid, {cores[-1] if last else cores[0]})


_FETCHER_KEYS = LogSigningKeys([b"f" * 32])


def seal() -> KeySetSeal:
    """Return the signer of all fetchers here."""
    return KeySetSeal(_FETCHER_KEYS, FetcherKeys(_FETCHER_KEYS.verification()))


@contextlib.asynccontextmanager
async def nodes_of(
    count: int, redis_url: str, policy: KeySetPolicy, *, polls: bool = True
) -> AsyncIterator[list[KeySetWiring]]:
    nodes: list[KeySetWiring] = []
    async with contextlib.AsyncExitStack() as stack:
        for number in range(count):
            redis, broker = connect(redis_url), make_broker(redis_url, logger=None)
            stack.push_async_callback(redis.aclose)
            download = GuardedDownload(policy)
            stack.push_async_callback(download.close)
            parts = assemble(
                redis=redis,
                broker=broker,
                download=download,
                policy=policy,
                clock=SystemClock(),
                registry=CollectorRegistry(),
                worker=f"node-{number}",
                seal=seal(),
                position=lambda: Position(1, 1),
                polls=polls,
            )
            nodes.append(parts)
            await broker.start()
            stack.push_async_callback(broker.stop)
            await parts.start()
            stack.push_async_callback(parts.stop)
        yield nodes
