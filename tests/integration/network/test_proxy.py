"""The guards also work through an HTTP proxy, unless the proxy resolves the names."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest
from redis.asyncio import Redis

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.network.addresses import Address
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.tls import client_context
from tests.integration.network.attempting import attempt, serving
from tests.integration.network.connect_proxy import PUBLIC, ConnectProxy, connect_proxy, proxied_context
from tests.integration.network.hostile_tls import serve_keys


async def public(_host: str, _port: int) -> Sequence[Address]:
    return [ip_address(PUBLIC)]


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[ConnectProxy]:
    async with (
        serving(serve_keys, tls=proxied_context(tmp_path)) as target,
        connect_proxy(target) as running,
    ):
        yield running


async def test_the_proxy_is_asked_for_the_address_that_was_checked(
    redis: Redis, tmp_path: Path, proxy: ConnectProxy
) -> None:
    record = await attempt(
        redis,
        "https://client.example/jwks",
        tls=client_context(tmp_path / "ca.pem"),
        proxy=Proxy.parse(f"http://user:pass%21@127.0.0.1:{proxy.port}"),
        resolver=public,
    )
    assert (record.failure, len(record.keys)) == (None, 1)
    assert proxy.requests[0].startswith(f"CONNECT {PUBLIC}:443 HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNzIQ==\r\n" in proxy.requests[0]


async def test_a_proxy_is_asked_for_the_next_address_when_it_cannot_reach_the_first(
    redis: Redis, tmp_path: Path, proxy: ConnectProxy
) -> None:
    async def two(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address("2606:4700::1111"), ip_address(PUBLIC)]

    proxy.refused = (b"[2606:4700::1111]:443",)
    record = await attempt(
        redis,
        "https://client.example/jwks",
        tls=client_context(tmp_path / "ca.pem"),
        proxy=Proxy.parse(f"http://127.0.0.1:{proxy.port}"),
        resolver=two,
    )
    assert (record.failure, len(record.keys)) == (None, 1)
    assert [request.split()[1] for request in proxy.requests] == [*proxy.refused, f"{PUBLIC}:443".encode()]


async def test_a_proxy_that_resolves_is_given_the_name(
    redis: Redis, tmp_path: Path, proxy: ConnectProxy
) -> None:
    async def nobody(host: str, _port: int) -> Sequence[Address]:
        raise OSError(f"{host} cannot be looked up here")

    record = await attempt(
        redis,
        "https://client.example/jwks",
        tls=client_context(tmp_path / "ca.pem"),
        proxy=Proxy.parse(f"http://127.0.0.1:{proxy.port}", resolves=True),
        resolver=nobody,
    )
    assert record.failure is None
    assert proxy.requests[0].startswith(b"CONNECT client.example:443 HTTP/1.1\r\n")


@pytest.mark.parametrize("resolves", [False, True])
async def test_no_private_address_is_asked_for_through_a_proxy(
    redis: Redis, proxy: ConnectProxy, resolves: bool
) -> None:
    through = Proxy.parse(f"http://127.0.0.1:{proxy.port}", resolves=resolves)
    for url in ("https://169.254.169.254/", "https://[::ffff:10.0.0.7]/", "http://10.0.0.7/"):
        record = await attempt(redis, url, proxy=through)
        assert record.failure == "address_not_allowed"
    record = await attempt(redis, "http://client.example/", proxy=through, resolver=public)
    assert record.failure == "scheme_not_allowed"
    assert proxy.requests == []


async def test_allowed_networks_are_reached_without_the_proxy(redis: Redis, proxy: ConnectProxy) -> None:
    async with serving(serve_keys) as port:
        through = Proxy.parse(f"http://127.0.0.1:{proxy.port}")
        record = await attempt(redis, f"http://127.0.0.1:{port}/jwks", proxy=through)
    assert record.failure is None
    assert proxy.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_a_proxy_that_gives_no_tunnel_is_named_as_the_reason(
    redis: Redis, proxy: ConnectProxy, answer: bytes
) -> None:
    proxy.answer = answer
    through = Proxy.parse(f"http://127.0.0.1:{proxy.port}")
    record = await attempt(redis, "https://client.example/jwks", proxy=through, resolver=public)
    assert (record.failure, record.keys) == ("proxy_failed", ())


async def test_a_proxy_that_hangs_up_at_once_is_named_as_the_reason(redis: Redis) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    through = Proxy.parse(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    record = await attempt(redis, "https://client.example/jwks", proxy=through, resolver=public)
    server.close()
    assert record.failure in (
        "proxy_failed",
        "connection_failed",
    )  # a clean end, or a reset caused by unread data


async def test_what_a_proxy_sends_before_tls_begins_is_not_taken_for_the_servers(
    redis: Redis, tmp_path: Path, proxy: ConnectProxy
) -> None:
    proxy.answer = b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    through = Proxy.parse(f"http://127.0.0.1:{proxy.port}")
    record = await attempt(redis, "https://client.example/jwks", proxy=through, resolver=public)
    assert record.failure in ("tls_failed", "connection_failed")
    assert record.keys == ()


@pytest.mark.parametrize(
    "url", ["proxy:3128", "https://proxy:3128", "http://proxy", "http://proxy:x", "socks5://proxy:1080", ""]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Proxy.parse(url.replace("//", "//user:hush@"))
    assert "hush" not in str(refused.value)


def test_a_proxys_password_is_not_shown() -> None:
    assert "aHVzaA" not in repr(Proxy.parse("http://:hush@proxy:3128"))
    assert "hush" not in repr(Proxy.parse("http://user:hush@proxy:3128"))
