"""The connection goes to the checked address, whatever the name server says next."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

from redis.asyncio import Redis

from keyturn_shared.network.addresses import Address
from tests.integration.network.attempting import attempt, serving
from tests.integration.network.hostile_tls import serve_keys


class Rebinding:
    """A resolver that returns the first address once and the second one from then on."""

    def __init__(self, first: str, then: str) -> None:
        self._answers = [ip_address(first)]
        self._then = ip_address(then)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked += 1
        return [self._answers.pop() if self._answers else self._then]


async def test_a_name_that_changes_between_check_and_connection_changes_nothing(redis: Redis) -> None:
    """127.0.0.2 is a different machine for sockets, and nothing arrives there."""
    inside = 0

    async def serve_inside(writer: asyncio.StreamWriter) -> None:
        nonlocal inside
        inside += 1
        await serve_keys(writer)

    async with serving(serve_keys) as port, serving(serve_inside, host="127.0.0.2", port=port):
        resolver = Rebinding("127.0.0.1", "127.0.0.2")
        url = f"http://rebinding.example:{port}/jwks"
        record = await attempt(redis, url, networks=("127.0.0.1/32",), resolver=resolver)
        assert (record.failure, resolver.asked, inside) == (None, 1, 0)
        await redis.flushall()
        record = await attempt(redis, url, networks=("127.0.0.1/32",), resolver=resolver)
    assert (record.failure, resolver.asked, inside) == ("address_not_allowed", 2, 0)


async def test_a_name_with_one_bad_address_is_not_tried_at_the_good_one(redis: Redis) -> None:
    async def both(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address("127.0.0.1"), ip_address("169.254.169.254")]

    async with serving(serve_keys) as port:
        record = await attempt(redis, f"http://two.example:{port}/jwks", resolver=both)
    assert record.failure == "address_not_allowed"


async def test_the_host_header_and_the_tls_name_are_those_of_the_url(redis: Redis) -> None:
    """The connection goes to an address, but virtual hosts need the name."""
    heads: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        await serve_keys(writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    resolver = Rebinding("127.0.0.1", "127.0.0.1")
    record = await attempt(redis, f"http://virtual.example:{port}/a?b=c", resolver=resolver)
    server.close()
    assert record.failure is None
    assert heads[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert f"host: virtual.example:{port}\r\n".encode() in heads[0].lower()


async def test_what_one_realm_allows_is_allowed_for_no_other(redis: Redis) -> None:
    """Nor is it shared: a key set fetched for one realm has a separate record."""
    async with serving(serve_keys) as port:
        url = f"http://127.0.0.1:{port}/jwks"
        for realm_networks, failure in (
            (("127.0.0.0/8",), None),
            ((), "address_not_allowed"),
            (("10.0.0.0/8",), "address_not_allowed"),
        ):
            record = await attempt(redis, url, networks=(), realm_networks=realm_networks)
            assert record.failure == failure
            assert bool(record.keys) is (failure is None)
