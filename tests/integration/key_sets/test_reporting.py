"""Skipped keys are counted, refused sets are reported, and every change is announced."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from faststream.redis import StreamSub
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from structlog.testing import capture_logs

from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.announcement import KeySetFetched
from keyturn_shared.key_sets.inspection import KeySetInspector
from keyturn_shared.redis_broker import make_broker
from keyturn_verifier.key_sets.manual_refresh import refresh
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from tests.integration.key_sets.fleet import LAYOUT, client_of, fleet_of, make_jwk
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.key_set_seal import seal
from tests.testkit.redis_reading import value_of
from tests.testkit.waiting import wait_until

WEAK_RSA = {"kty": "RSA", "e": "AQAB", "n": "v" * 170 + "w", "kid": "weak"}


async def test_keys_that_are_not_used_are_skipped_and_counted_by_reason(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    good = make_jwk("good")
    server.pages["/jwks"] = Page(
        [good, good, WEAK_RSA, {"kty": "AKP"}, {**make_jwk("e"), "use": "enc"}, {**good, "crv": "P-1"}]
    )
    address = KeySetAddress.of(server.url("/jwks"))
    async with fleet_of(1, redis_url, find_timeout=20.0) as [node]:
        assert await node.kids(client_of(address.url), "good") == ["good"]
        text = node.metrics()
    health = await KeySetInspector(redis, seal()).inspect(address)
    assert health is not None
    assert (len(health.keys), health.skipped) == (1, 5)
    assert [(key.index, key.kid, key.reason) for key in health.skipped_keys] == [
        (1, "good", "duplicate"),
        (2, "weak", "weak"),
        (3, None, "unknown_key_type"),
        (4, "e", "not_for_signatures"),
        (5, "good", "unknown_curve"),
    ]
    for reason in ("duplicate", "weak", "unknown_key_type", "not_for_signatures", "unknown_curve"):
        assert f'keyturn_key_set_skipped_keys_total{{reason="{reason}"}} 1.0' in text


async def test_the_log_says_once_which_keys_are_not_used_and_why(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("good"), WEAK_RSA])
    address = KeySetAddress.of(server.url("/jwks"))
    async with fleet_of(1, redis_url) as [node]:
        with capture_logs() as logs:
            await refresh(node.parts.channel, address, SystemClock(), timeout=20)
            page.keys = [make_jwk("other"), WEAK_RSA]
            await refresh(node.parts.channel, address, SystemClock(), timeout=20)
            page.keys = [{**WEAK_RSA, "kid": "another"}]
            await refresh(node.parts.channel, address, SystemClock(), timeout=20)
    named = [entry["keys"] for entry in logs if entry["event"] == "key_set_keys_skipped"]
    assert named == [
        [{"index": 1, "reason": "weak", "kid": "weak"}],
        [{"index": 0, "reason": "weak", "kid": "another"}],
    ]
    health = await KeySetInspector(redis, seal()).inspect(address)
    assert health is not None
    assert health.failure_detail == "no usable key; 1 skipped: weak"


@pytest.mark.parametrize(
    "leaked", [{"d": "c2VjcmV0"}, {"p": "c2VjcmV0"}, {"k": "c2VjcmV0"}], ids=lambda leaked: next(iter(leaked))
)
async def test_a_set_with_a_private_key_is_refused_whole_and_reported_without_it(
    redis_url: str, redis: Redis, server: JwksServer, leaked: dict[str, str]
) -> None:
    server.pages["/jwks"] = Page([make_jwk("good"), {**make_jwk("leaked"), **leaked}])
    address = KeySetAddress.of(server.url("/jwks"))
    async with fleet_of(1, redis_url) as [node]:
        await refresh(node.parts.channel, address, SystemClock(), timeout=20)
    health = await KeySetInspector(redis, seal()).inspect(address)
    assert health is not None
    assert (health.keys, health.failure) == ((), "invalid_key_set")
    assert health.failure_detail == "key 1 carries private key material"
    record = await value_of(redis, LAYOUT.record(address.id))
    assert record is not None
    assert b"c2VjcmV0" not in record


async def test_a_foreign_subscriber_of_faststream_hears_of_every_change(
    redis_url: str, server: JwksServer
) -> None:
    """The stream is an ordinary one, to which any program can subscribe."""
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    address = KeySetAddress.of(server.url("/jwks"))
    heard: list[KeySetFetched] = []
    broker = make_broker(redis_url, logger=None)

    @broker.subscriber(stream=StreamSub(LAYOUT.key_set_announcements, last_id="$"))
    async def fetched(announcement: KeySetFetched) -> None:
        heard.append(announcement)

    async with broker:
        await broker.start()
        await asyncio.sleep(0.3)  # "$" counts from when the first read arrives
        async with fleet_of(1, redis_url, find_timeout=20.0) as [node]:
            await node.kids(client_of(address.url), "k1")
            await wait_until(lambda: len(heard) == 1)
            page.keys = [make_jwk("k2")]
            await wait_until(lambda: len(heard) == 2)
    assert {each.id for each in heard} == {address.id}
    assert heard[0].generation < heard[1].generation


async def test_a_node_parses_a_set_once_however_often_it_is_used_and_confirmed(
    redis_url: str, server: JwksServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    parsed = 0
    read = KeySet.from_members

    def counted(*arguments: Any, **named: Any) -> KeySet:
        nonlocal parsed
        parsed += 1
        return read(*arguments, **named)

    monkeypatch.setattr(KeySet, "from_members", counted)
    async with fleet_of(1, redis_url, find_timeout=20.0) as [node]:
        for _ in range(20):
            await asyncio.gather(*(node.kids(client, "k1") for _ in range(20)))
        await wait_until(lambda: server.answers["/jwks", 304] >= 1)
        await node.kids(client, "k1")
    assert parsed == 2  # by the fetcher that checks the response, and by the node that caches it


def test_every_metric_of_the_key_sets_explains_itself_and_alarms_name_listed_ones() -> None:
    registry = CollectorRegistry()
    KeySetMetrics(registry)
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
    alarms = ("fetches", "demands", "waiting", "loop_failures")
    assert all(f"keyturn_key_set_{name}" in page for name in alarms)
    assert all(family.documentation for family in registry.collect())
