"""Fetchers that die in mid-fetch or are cut off from Redis: whoever is left goes on polling."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from redis.asyncio import Redis

from tests.integration.key_sets.fleet import QUICK, SLACK_SECONDS, client_of, fleet_of, make_jwk, record_of
from tests.integration.key_sets.jwks_server import JwksServer, Page
from tests.integration.key_sets.test_polling import fetcher_process
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.waiting import wait_until


@contextlib.asynccontextmanager
async def fetchers_behind_proxies(count: int, redis_url: str) -> AsyncIterator[list[TcpProxy]]:
    """Processes that reach Redis only through a proxy of their own."""
    port = urlsplit(redis_url).port
    assert port is not None
    async with contextlib.AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(tcp_proxy(port)) for _ in range(count)]
        starts = [
            stack.enter_async_context(fetcher_process(redis_url.replace(f":{port}/", f":{proxy.port}/")))
            for proxy in proxies
        ]
        await asyncio.gather(*starts)
        yield proxies


async def test_polling_goes_on_within_one_claim_when_all_fetchers_but_one_are_cut_off(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k0")])
    url = server.url("/jwks")
    async with fleet_of(1, redis_url, polls=False) as [node]:
        await node.kids(client_of(url), "k0")

    async def has(kid: str) -> bool:
        record = await record_of(redis, url)
        return record is not None and [jwk["kid"] for jwk in record.keys] == [kid]

    async with fetchers_behind_proxies(3, redis_url) as proxies:
        # In mid-fetch: whoever fetches now may find its way to Redis gone when it wants to store.
        page.hang = 0.2
        await wait_until(lambda: server.hanging >= 1, timeout=30, interval=0.005)
        for proxy in proxies[1:]:
            proxy.fall_silent()
        page.hang, page.keys = 0.0, [make_jwk("k1")]
        began = time.monotonic()
        await wait_until(lambda: has("k1"), timeout=60)
        assert time.monotonic() - began < QUICK.claim + QUICK.max_freshness + SLACK_SECONDS
        for proxy in proxies:
            proxy.restore()
