"""Leases, their records, and their traces after nodes or Redis are gone."""

import pytest

from keyturn_shared.fleet.membership import MembershipStatus
from keyturn_shared.fleet.registry import NodeRecord
from keyturn_shared.position import Position
from tests.integration.fleet_scripts.conftest import EPOCH, HOUR_MS, LAYOUT, Fleet, publication
from tests.testkit.redis_reading import entries_of, field_value

APPLIED = Position(EPOCH, 1)
TERM_MS = 11_000
UNREADABLE = ["", "1|2", "x|1|1|1|1|{}", "12345678901234567|1|1|1|1|{}", "-1|1|1|1|1|{}"]


async def record(fleet: Fleet, name: str = "node") -> NodeRecord | None:
    text = await field_value(fleet.redis, LAYOUT.nodes, name)
    return None if text is None else NodeRecord.parse(name, text.decode())


async def test_a_record_lasts_a_margin_longer_than_the_lease(fleet: Fleet) -> None:
    renewal = await fleet.node().renew(APPLIED, '{"zone": "a"}')
    assert (renewal.status, renewal.lease_seconds) == (MembershipStatus.RENEWED, 10.0)
    assert (renewal.head, renewal.event_id, renewal.statement) == (APPLIED, "event-1", b"signed")
    kept = await record(fleet)
    assert kept is not None
    assert (kept.renewed_at, kept.expires_at) == (renewal.now, renewal.now + TERM_MS)
    assert (kept.term_ms, kept.applied, kept.details) == (TERM_MS, APPLIED, {"zone": "a"})


async def test_a_redis_that_nobody_vouched_for_gives_no_lease(fleet: Fleet) -> None:
    await fleet.distrust()
    renewal = await fleet.node().renew(APPLIED, "{}")
    assert (renewal.status, renewal.head, renewal.lease_seconds) == (MembershipStatus.UNTRUSTED, APPLIED, 0.0)
    assert await record(fleet) is None
    await fleet.redis.delete(LAYOUT.head)
    assert (await fleet.node().renew(APPLIED, "{}")).status is MembershipStatus.EMPTY
    assert await record(fleet) is None


async def test_who_leaves_is_gone(fleet: Fleet) -> None:
    for name in ("node", "other"):
        await fleet.node(name).renew(APPLIED, "{}")
    await fleet.node().leave()
    assert await record(fleet) is None
    assert await record(fleet, "other") is not None


async def test_a_fleet_is_closed_only_when_no_node_holds_a_lease(fleet: Fleet) -> None:
    await fleet.node().renew(APPLIED, "{}")
    assert not await fleet.relay.close(EPOCH, "nonce")
    await fleet.redis.hset(LAYOUT.nodes, "node", "1|1|1|1|1|{}")  # expired long ago
    assert await fleet.relay.close(EPOCH, "nonce")
    assert (await fleet.head("vouched"), await fleet.head("closed_nonce")) == ("", "nonce")
    head = (await fleet.relay.look()).head
    assert head is not None
    assert not head.trusted


@pytest.mark.parametrize("unreadable", UNREADABLE)
async def test_a_fleet_is_not_closed_while_a_record_cannot_be_read(fleet: Fleet, unreadable: str) -> None:
    await fleet.redis.hset(LAYOUT.nodes, "node", unreadable)
    assert not await fleet.relay.close(EPOCH, "nonce")


async def test_a_fleet_is_not_closed_while_forgotten_leases_may_be_held(fleet: Fleet) -> None:
    now = (await fleet.relay.look()).at
    await fleet.set_head(waits_after=now + HOUR_MS)
    assert not await fleet.relay.close(EPOCH, "nonce")
    await fleet.set_head(waits_after=now)
    assert await fleet.relay.close(EPOCH, "nonce")


async def test_records_that_ran_out_long_ago_are_swept_and_no_others(fleet: Fleet) -> None:
    now = (await fleet.relay.look()).at
    for name, ended in (("long ago", 2 * HOUR_MS), ("lately", 1), ("not yet", -HOUR_MS)):
        await fleet.redis.hset(LAYOUT.nodes, name, f"{now - ended}|1|1|{EPOCH}|1|{{}}")
    assert await fleet.relay.sweep_nodes(HOUR_MS / 1000) == 1
    assert {name async for name, _ in fleet.redis.hscan_iter(LAYOUT.nodes)} == {b"lately", b"not yet"}


@pytest.mark.parametrize("unreadable", UNREADABLE)
async def test_a_record_that_cannot_be_read_holds_waits_up_for_a_term(fleet: Fleet, unreadable: str) -> None:
    await fleet.redis.hset(LAYOUT.nodes, "node", unreadable)
    assert (await fleet.registry.view(1)).unreadable == ("node",)
    before = (await fleet.relay.look()).at
    assert await fleet.relay.sweep_nodes(60.0) == 0
    kept = await record(fleet)
    assert kept is not None
    assert before + TERM_MS <= kept.expires_at == kept.renewed_at + TERM_MS
    assert (kept.term_ms, kept.applied) == (TERM_MS, Position(0, 0))


async def test_where_leases_become_shorter_waits_outlast_the_longer_ones(fleet: Fleet) -> None:
    seen = await fleet.relay.look()
    assert seen.head is not None
    assert await fleet.relay.stamp(seen.head, seen=seen, statement=b"s")
    assert await fleet.number("waits_after") == 0  # the same terms as before
    await fleet.set_head(lease_ms=20_000)
    assert await fleet.relay.stamp(seen.head, seen=seen, statement=b"s")
    assert await fleet.number("waits_after") >= seen.at + 21_000
    assert (await fleet.number("lease_ms"), await fleet.number("margin_ms")) == (10_000, 1_000)
    await fleet.set_head(lease_ms=20_000, waits_after=seen.at + 600_000)
    assert await fleet.relay.stamp(seen.head, seen=seen, statement=b"s")
    assert await fleet.number("waits_after") == seen.at + 600_000


# -- the moment from which a wait counts


async def test_when_an_event_was_published(fleet: Fleet) -> None:
    for sequence in (2, 3):
        await fleet.relay.publish(EPOCH, [publication(sequence)])
    entries = dict(await entries_of(fleet.redis, LAYOUT.events))
    moments = {name: int(fields[b"published_at"]) for name, fields in entries.items()}
    base, asked, newest, coming = await fleet.registry.views([1, 2, None, 4])
    assert base.published_at == await fleet.number("opened_at")
    assert asked.published_at == moments[b"3-2"]
    assert newest.published_at == moments[b"3-3"]
    assert coming.published_at is None
    await fleet.redis.xdel(LAYOUT.events, "3-1", "3-3")
    assert (await fleet.registry.view(1)).published_at == base.published_at
    trimmed = await fleet.registry.view(3)
    assert trimmed.published_at == trimmed.now  # nothing earlier is known
    await fleet.redis.delete(LAYOUT.head)
    assert (await fleet.registry.view(1)).published_at is None
