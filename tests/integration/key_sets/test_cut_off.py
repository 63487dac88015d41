"""Fetchers die during a fetch or lose Redis: the remaining ones continue polling."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from redis.asyncio import Redis

from tests.integration.key_sets.fleet import client_of, fetcher_process, fleet_of, make_jwk, record_of
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.tcp_proxy import TcpProxy, tcp_proxy
from tests.testkit.waiting import wait_until


@contextlib.asynccontextmanager
async def fetchers_behind_proxies(count: int, redis_url: str) -> AsyncIterator[list[TcpProxy]]:
    """Run processes that reach Redis only through a proxy of their own."""
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


async def test_polling_goes_on_when_all_fetchers_but_one_are_cut_off(
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
        # During a fetch: the fetcher may find its connection to Redis gone when it wants to store.
        page.hang = 0.2
        await wait_until(lambda: server.hanging >= 1, timeout=30, interval=0.005)
        for proxy in proxies[1:]:
            proxy.fall_silent()
        page.hang, page.keys = 0.0, [make_jwk("k1")]
        await wait_until(lambda: has("k1"))
        for proxy in proxies:
            proxy.restore()
