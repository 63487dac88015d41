"""Servers that speak only HTTP/2 are supported, with the limits of HTTP/1.1."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from keyturn_shared.network.addresses import Address, read_networks
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.tls import client_context
from tests.integration.network.connect_proxy import PUBLIC, connect_proxy, proxied_context
from tests.integration.network.hostile_servers import GOOD_BODY
from tests.integration.network.hostile_tls import AUTHORITY, good
from tests.integration.network.http2_servers import (
    HOSTILE_HTTP2,
    Asked,
    HostileHttp2,
    serve_keys,
    serving_http2,
)

POLICY = FetchPolicy(total_seconds=60, first_byte_seconds=60, allowed_networks=read_networks(["127.0.0.0/8"]))
HURRIED = replace(POLICY, total_seconds=1.0)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tls")
    (found / "ca.pem").write_bytes(AUTHORITY.pem)
    return found


@pytest.fixture(scope="module")
def server_tls(directory: Path) -> ssl.SSLContext:
    return good(directory)


@contextlib.asynccontextmanager
async def fetching(directory: Path, proxy: Proxy | None = None) -> AsyncIterator[GuardedFetcher]:
    async def public(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address(PUBLIC)]

    fetcher = GuardedFetcher(tls=client_context(directory / "ca.pem"), proxy=proxy, resolver=public)
    try:
        yield fetcher
    finally:
        fetcher.close()


async def test_a_server_that_speaks_http2_alone_is_understood_over_one_connection(
    directory: Path, server_tls: ssl.SSLContext
) -> None:
    async with serving_http2(serve_keys, server_tls) as (port, made), fetching(directory) as fetcher:
        for _ in range(3):
            result = await fetcher.fetch(f"https://127.0.0.1:{port}/jwks", policy=POLICY)
            assert (result.status, result.body) == (200, GOOD_BODY)
    assert made == ["h2"]


async def test_fetches_at_once_share_a_connection_and_one_that_fails_harms_no_other(
    directory: Path, server_tls: ssl.SSLContext
) -> None:
    first_asked = asyncio.Event()

    async def first_is_wrong(asked: Asked) -> None:
        if first_asked.is_set():
            await serve_keys(asked)
        else:
            first_asked.set()
            await asked.answer(status="404")

    async with serving_http2(first_is_wrong, server_tls) as (port, made), fetching(directory) as fetcher:
        url = f"https://127.0.0.1:{port}/jwks"
        results = await asyncio.gather(
            *(fetcher.fetch(url, policy=POLICY) for _ in range(5)), return_exceptions=True
        )
        assert [getattr(result, "reason", "good") for result in results].count("status") == 1
        assert [getattr(result, "reason", "good") for result in results].count("good") == 4
        assert len(made) < 5


async def test_a_connection_with_a_failed_fetch_is_not_used_again(
    directory: Path, server_tls: ssl.SSLContext
) -> None:
    """The rest of the unread answer would come before the next one."""

    async def fails(asked: Asked) -> None:
        if asked.stream_id == 1:
            await serve_keys(asked)
        else:
            await asked.answer(status="404", body=b"{}")

    async with serving_http2(fails, server_tls) as (port, made), fetching(directory) as fetcher:
        url = f"https://127.0.0.1:{port}/jwks"
        await fetcher.fetch(url, policy=POLICY)
        with pytest.raises(FetchRefused):
            await fetcher.fetch(url, policy=POLICY)
        await fetcher.fetch(url, policy=POLICY)
    assert len(made) == 2


@pytest.mark.parametrize("farewell", [True, False], ids=["said", "unsaid"])
async def test_a_connection_that_the_server_ends_behind_an_answer_is_replaced(
    directory: Path, server_tls: ssl.SSLContext, farewell: bool
) -> None:
    async def once(asked: Asked) -> None:
        await serve_keys(asked)
        if farewell:
            asked.state.close_connection()
            await asked.send()
        asked.writer.close()

    async with serving_http2(once, server_tls) as (port, made), fetching(directory) as fetcher:
        for _ in range(3):
            result = await fetcher.fetch(f"https://127.0.0.1:{port}/jwks", policy=POLICY)
            assert result.body == GOOD_BODY
    assert len(made) == 3


async def test_a_server_behind_a_proxy_that_speaks_http2_alone_is_asked_through_one_tunnel(
    directory: Path,
) -> None:
    tls = proxied_context(directory)
    async with serving_http2(serve_keys, tls) as (port, made), connect_proxy(port) as proxy:
        through = Proxy.parse(f"http://127.0.0.1:{proxy.port}")
        async with fetching(directory, through) as fetcher:
            for _ in range(2):
                result = await fetcher.fetch("https://client.example/jwks", policy=POLICY)
                assert result.body == GOOD_BODY
    assert (made, len(proxy.requests)) == (["h2"], 1)


@pytest.mark.parametrize("hostile", HOSTILE_HTTP2, ids=lambda hostile: hostile.attack)
async def test_an_answer_over_http2_that_is_not_what_it_should_be_is_refused(
    directory: Path, server_tls: ssl.SSLContext, hostile: HostileHttp2
) -> None:
    policy = HURRIED if hostile.reason == "timeout" else POLICY
    async with serving_http2(hostile.serve, server_tls) as (port, _), fetching(directory) as fetcher:
        with pytest.raises(FetchRefused) as refused:
            await fetcher.fetch(f"https://127.0.0.1:{port}/jwks", policy=policy)
    assert refused.value.reason == hostile.reason
