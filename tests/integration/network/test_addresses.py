"""All addresses of a name are tried, within a limit."""

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import ip_address

import pytest

from keyturn_shared.network.addresses import Address, read_networks
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.tls import client_context
from tests.integration.network.attempting import serving
from tests.integration.network.hostile_servers import GOOD_BODY
from tests.integration.network.hostile_tls import serve_keys

LIVE = "127.0.0.1"
POLICY = FetchPolicy(
    total_seconds=120, first_byte_seconds=60, allowed_networks=read_networks(["127.0.0.0/8"])
)
TLS = client_context()


@contextlib.asynccontextmanager
async def fetcher_of(*addresses: str) -> AsyncIterator[GuardedFetcher]:
    async def resolver(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address(address) for address in addresses]

    fetcher = GuardedFetcher(resolver=resolver, tls=TLS)
    try:
        yield fetcher
    finally:
        fetcher.close()


@contextlib.contextmanager
def swallowing(address: str, port: int) -> Iterator[None]:
    """A listener that accepts nothing, and whose queue is full: the kernel answers no SYN."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield


async def test_a_first_address_that_refuses_does_not_fail_the_fetch() -> None:
    async with serving(serve_keys) as port, fetcher_of("127.0.0.9", LIVE) as fetcher:
        result = await fetcher.fetch(f"http://dead-first.example:{port}/jwks", policy=POLICY)
    assert result.body == GOOD_BODY


async def test_a_first_address_that_does_not_answer_does_not_fail_the_fetch() -> None:
    async with serving(serve_keys) as port, fetcher_of("127.0.0.9", LIVE) as fetcher:
        with swallowing("127.0.0.9", port):
            result = await fetcher.fetch(f"http://silent-first.example:{port}/jwks", policy=POLICY)
    assert result.body == GOOD_BODY


async def test_a_name_all_of_whose_addresses_are_dead_is_told_as_such() -> None:
    with socket.socket() as unheard:
        unheard.bind((LIVE, 0))
        url = f"http://dead.example:{unheard.getsockname()[1]}/jwks"
        async with fetcher_of("127.0.0.8", "127.0.0.9", LIVE) as fetcher:
            with pytest.raises(FetchRefused) as refused:
                await fetcher.fetch(url, policy=POLICY)
    assert refused.value.reason == "connection_failed"


async def test_no_more_than_four_addresses_of_a_family_are_knocked_at() -> None:
    """Otherwise a stranger's name could make keyturn scan a network."""
    dead = [f"127.0.1.{number}" for number in range(1, 5)]
    async with serving(serve_keys) as port:
        async with fetcher_of(*dead, LIVE) as fetcher:
            with pytest.raises(FetchRefused) as refused:
                await fetcher.fetch(f"http://many.example:{port}/jwks", policy=POLICY)
        async with fetcher_of(*dead[1:], LIVE) as fetcher:
            await fetcher.fetch(f"http://many.example:{port}/jwks", policy=POLICY)
    assert refused.value.reason == "connection_failed"
