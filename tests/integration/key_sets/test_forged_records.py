"""An attacker writes key sets to Redis."""

import time

import msgspec
import pytest
from redis.asyncio import Redis

from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.record import KeySetRecord, encode_record
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_verifier.key_sets.manual_refresh import refresh
from keyturn_verifier.key_sets.redis_repository import SCRIPTS_PACKAGE, KeySetRepository
from tests.integration.key_sets.fleet import (
    LAYOUT,
    QUICK,
    REALM,
    client_of,
    fleet_of,
    make_jwk,
    record_of,
    set_head,
)
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.key_set_requirements import ANY
from tests.testkit.key_set_seal import FETCHER_KEYS


def his_record(url: str) -> KeySetRecord:
    """Return a key set with the attacker's key, fresh for a long time."""
    now = time.time()
    return KeySetRecord(
        url=url,
        generation=int(now * 1000),
        as_of=(1 << 40, 1 << 40),
        keys=(make_jwk("his"),),
        fetched_at=now,
        changed_at=now,
        fresh_until=now + 3600,
        stale_until=now + 7200,
    )


@pytest.mark.parametrize("form", ["unsigned", "signed by himself", "moved"])
async def test_his_key_is_not_used_and_the_true_one_is_fetched(
    redis_url: str, redis: Redis, server: JwksServer, form: str
) -> None:
    await set_head(redis, 7, 100)
    server.pages["/jwks"] = Page([make_jwk("true")])
    client = client_of(server.url("/jwks"))
    address = KeySetAddress.of(client.jwks_url or "")
    if form == "unsigned":
        value = encode_record(his_record(address.url))
    elif form == "signed by himself":
        value = KeySetSeal(LogSigningKeys([b"h" * 32]), FetcherKeys()).write(his_record(address.url))
    else:  # a fetcher's own record, of the attacker's URL
        value = KeySetSeal(FETCHER_KEYS, FetcherKeys()).write(his_record("https://his.example/jwks"))
    await redis.set(LAYOUT.record(address.id), value)
    async with fleet_of(1, redis_url, polls=False, find_timeout=20.0) as nodes:
        with pytest.raises((UnknownKidError, KeysUnavailableError)):
            await nodes[0].kids(client, "his")
        assert await nodes[0].kids(client, "true") == ["true"]
    record = await record_of(redis, address.url)
    assert record is not None
    assert [key["kid"] for key in record.keys] == ["true"]


async def test_who_does_not_fetch_uses_what_others_have_fetched_and_changes_nothing(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    """A resource server: it has only public keys, which the realm names."""
    await set_head(redis, 7, 100)
    server.pages["/jwks"] = Page([make_jwk("true")])
    client = client_of(server.url("/jwks"))
    address = KeySetAddress.of(client.jwks_url or "")
    fetchers = FetcherKeys()
    fetchers.learn(msgspec.structs.replace(REALM, fetcher_keys=(FETCHER_KEYS.public_keys,)).fetcher_keys)
    scripts = RedisScripts(redis, SCRIPTS_PACKAGE)
    reader = KeySetRepository(scripts, QUICK, "reader", KeySetSeal(None, fetchers))
    nothing = await reader.demand(address, 0, "keys", ANY)
    assert (nothing.record, nothing.lease) == (None, None)
    assert await redis.keys("*keyset*") == []
    async with fleet_of(1, redis_url, polls=False, find_timeout=20.0) as nodes:
        assert await nodes[0].kids(client, "true") == ["true"]
    found = await reader.demand(address, 0, "keys", ANY)
    assert found.record is not None
    assert [key["kid"] for key in found.record.keys] == ["true"]


async def test_nobody_has_fetchers_ask_private_networks_by_a_request_of_his_own(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    """A record in the queue names the networks itself; only the one after it is fetched."""
    await set_head(redis, 7, 100)
    server.pages["/inside"] = server.pages["/jwks"] = Page([make_jwk("k")])
    his = KeySetRecord(url=server.url("/inside"), networks=("127.0.0.0/8",))
    await redis.set(LAYOUT.record(his.address.id), encode_record(his))
    await redis.hset(LAYOUT.used, his.address.id, str(int(time.time() * 1000)))
    await redis.zadd(LAYOUT.due, {his.address.id: 1})
    async with fleet_of(1, redis_url, polls=True) as [node]:
        channel = node.parts.channel
        fetched = await refresh(channel, KeySetAddress.of(server.url("/jwks")), SystemClock(), timeout=30)
        assert fetched.record is not None
        new = KeySetAddress.of(server.url("/new"), ("127.0.0.0/8",))
        assert (await refresh(channel, new, SystemClock(), timeout=30)).record is None
    assert (server.requests["/inside"], server.requests["/new"]) == (0, 0)
