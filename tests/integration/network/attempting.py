"""One attempt at a URL like the fleet's: leased in Redis, through the guards, stored in Redis."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.announcement import KeySetFetched
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.resolving import Resolver
from keyturn_shared.network.tls import client_context
from keyturn_verifier.key_sets.fetcher import KeySetFetcher
from keyturn_verifier.key_sets.http_download import GuardedDownload
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.redis_repository import SCRIPTS_PACKAGE, KeySetRepository
from tests.integration.network.hostile_servers import Serve
from tests.testkit.key_set_requirements import ANY
from tests.testkit.key_set_seal import seal

POLICY = KeySetPolicy(fetch_timeout=1.5, spacing=0.001, min_interval=0.001, max_demand_backoff=0.001)
_SYSTEMS_AUTHORITIES = client_context()


async def attempt(
    redis: Redis,
    url: str,
    *,
    networks: tuple[str, ...] = ("127.0.0.0/8",),
    realm_networks: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    proxy: Proxy | None = None,
    resolver: Resolver | None = None,
) -> KeySetRecord:
    """Return the record after one attempt, which always ends with one. Only loopback is allowed, for the
    server under attack."""

    async def announce(_: KeySetFetched) -> None:
        return

    policy = replace(POLICY, allowed_networks=networks)
    channel = KeySetRepository(RedisScripts(redis, SCRIPTS_PACKAGE), policy, "tests", seal())
    download = GuardedDownload(policy, tls=tls or _SYSTEMS_AUTHORITIES, proxy=proxy, resolver=resolver)
    metrics = KeySetMetrics(CollectorRegistry())
    fetcher = KeySetFetcher(channel, download, announce, policy, SystemClock(), metrics)
    reply = await channel.demand(KeySetAddress.of(url, realm_networks), 0, "keys", ANY)
    assert reply.lease is not None
    record = await fetcher.run(reply.lease)
    await download.close()
    assert record is not None
    return record


@contextlib.asynccontextmanager
async def serving(
    serve: Serve, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """Run a server that reads a request and leaves the rest to ``serve``; yield its port."""
    ends: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ends.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                await serve(writer)
        except asyncio.CancelledError:
            pass  # the test has seen what it wanted to see
        finally:
            ends.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, host, port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(ends):
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
