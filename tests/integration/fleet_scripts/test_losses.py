"""A new epoch accounts for what another Redis process may have known."""

from dataclasses import replace
from typing import Any

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.claimants import Claimants, NotKept, Order
from keyturn_shared.fleet.relay_channel import Look
from keyturn_shared.fleet.replay import AssertionUse, UnexpectedClaimantError, UseOutcome
from tests.integration.fleet_scripts.conftest import EPOCH, HOUR_MS, LAYOUT, Fleet

NEXT = EPOCH + 1
TERM_MS = 11_000
LEEWAY_MS = 15_000


async def test_an_epoch_is_opened_once_and_never_below_another(fleet: Fleet) -> None:
    before = await fleet.everything()
    for epoch in (EPOCH, EPOCH - 1):
        assert not await fleet.open(epoch)
        assert await fleet.everything() == before
    await fleet.redis.delete(LAYOUT.head)
    before = await fleet.everything()
    assert not await fleet.open(EPOCH)  # the stream still knows it
    assert await fleet.everything() == before
    await fleet.redis.delete(LAYOUT.events)
    await fleet.set_head(epoch=EPOCH)  # only the head knows it
    for epoch in (EPOCH, EPOCH - 1):
        assert not await fleet.open(epoch)
    assert await fleet.open(NEXT, 5)
    assert (await fleet.head("epoch"), await fleet.head("sequence")) == (str(NEXT), "5")
    assert (await fleet.head("base_sequence"), await fleet.head("complete")) == ("5", "0")


async def test_while_redis_is_trusted_nothing_was_lost(fleet: Fleet) -> None:
    assert await fleet.open(NEXT)
    assert (await fleet.number("waits_after"), await fleet.number("replay_barrier")) == (0, 0)


async def test_after_a_loss_waits_outlast_all_leases_and_earlier_assertions_are_refused(fleet: Fleet) -> None:
    await fleet.distrust()
    assert await fleet.open(NEXT)
    opened = await fleet.number("opened_at")
    assert await fleet.number("waits_after") == opened + TERM_MS
    assert await fleet.number("replay_barrier") == opened
    assert await fleet.number("replay_floor") == opened
    head = (await fleet.relay.look()).head
    assert head is not None
    assert head.trusted


async def test_on_a_fresh_database_there_was_nothing_to_lose(fleet: Fleet) -> None:
    await fleet.distrust()
    assert await fleet.open(NEXT, fresh=True)
    assert (await fleet.number("waits_after"), await fleet.number("replay_barrier")) == (0, 0)


@pytest.mark.parametrize(
    ("kept", "closed", "barrier"), [("n", "n", False), ("m", "n", True), ("", "n", True)]
)
async def test_a_fleet_closed_in_good_order_left_no_lease_and_perhaps_its_memory(
    fleet: Fleet, kept: str, closed: str, barrier: bool
) -> None:
    """A Redis with the same mark as the database has not been written since."""
    await fleet.set_head(vouched="", closed_nonce=kept)
    assert await fleet.open(NEXT, closed_nonce=closed)
    assert await fleet.number("waits_after") == 0
    assert (await fleet.number("replay_barrier") > 0) is barrier


async def test_two_empty_marks_are_no_good_order(fleet: Fleet) -> None:
    await fleet.set_head(vouched="", closed_nonce="")
    assert await fleet.open(NEXT, closed_nonce=None)
    assert await fleet.number("waits_after") > 0
    assert await fleet.number("replay_barrier") > 0


@pytest.mark.parametrize("change", [{"run_id": "another-process"}, {"at": 1}])
@pytest.mark.parametrize("known", [{"fresh": True}, {"closed_nonce": "n"}])
async def test_what_a_relay_read_elsewhere_or_long_ago_counts_no_more(
    fleet: Fleet, change: dict[str, Any], known: dict[str, Any]
) -> None:
    await fleet.set_head(vouched="", closed_nonce="n")
    seen = await fleet.look(**change)
    assert await fleet.open(NEXT, seen=seen, claimants=Claimants(frozenset(), 5), **known)
    opened = await fleet.number("opened_at")
    assert await fleet.number("waits_after") == opened + TERM_MS
    assert await fleet.number("replay_barrier") == opened


async def test_whose_memory_is_awaited_is_what_the_relay_knew(fleet: Fleet) -> None:
    await fleet.distrust()
    assert await fleet.open(NEXT, claimants=Claimants(frozenset({"x", "y"}), 7))
    assert await fleet.redis.hgetall(LAYOUT.claimants) == {b"x": b"0", b"y": b"0"}
    assert await fleet.number("replay_barrier") == await fleet.number("opened_at")
    assert await fleet.number("replay_floor") == 7


async def test_where_nobody_claimed_the_barrier_is_where_the_last_was_forgotten(fleet: Fleet) -> None:
    await fleet.distrust()
    assert await fleet.open(NEXT, claimants=Claimants(frozenset(), 7))
    assert await fleet.number("replay_barrier") == 7


# -- carrying over


async def carry(fleet: Fleet, epoch: int = NEXT, seen: Look | None = None) -> bool:
    seen = seen or await fleet.look()
    assert seen.head is not None
    return await fleet.relay.carry_over(
        seen.head, epoch, b"{}", seen=seen, closed_nonce=None, statement=b"carried"
    )


async def test_a_new_epoch_goes_on_with_the_projections_that_are_there(fleet: Fleet) -> None:
    await fleet.distrust()
    assert await carry(fleet)
    assert await fleet.projection("a", NEXT) == b"1:{}"
    assert await fleet.projection("a") is None
    assert (await fleet.head("epoch"), await fleet.head("sequence")) == (str(NEXT), "1")
    assert (await fleet.head("marked"), await fleet.head("statement")) == (str(NEXT), "carried")
    assert await fleet.number("waits_after") == await fleet.number("opened_at") + TERM_MS
    assert await fleet.number("replay_barrier") == await fleet.number("opened_at")
    assert await fleet.relay.find_loss(NEXT) == ""


@pytest.mark.parametrize("moved", [{"epoch": 2}, {"sequence": 2}, {"event_id": "another"}])
async def test_what_has_moved_since_it_was_looked_at_is_not_carried_over(
    fleet: Fleet, moved: dict[str, Any]
) -> None:
    seen = await fleet.look()
    await fleet.set_head(**moved)
    before = await fleet.everything()
    assert not await carry(fleet, seen=seen)
    assert await fleet.everything() == before


async def test_what_another_process_showed_is_not_carried_over_in_this_one(fleet: Fleet) -> None:
    seen = await fleet.look(run_id="another-process")
    before = await fleet.everything()
    assert not await carry(fleet, seen=seen)
    assert not await carry(fleet, epoch=EPOCH)
    assert await fleet.everything() == before
    await fleet.redis.xadd(LAYOUT.events, {"x": "y"}, id=f"{NEXT}-1")
    before = await fleet.everything()
    assert not await carry(fleet)
    assert await fleet.everything() == before
    await fleet.redis.delete(LAYOUT.events)  # only the head knows which epoch is active
    assert not await carry(fleet, epoch=EPOCH)


# -- used assertions


def use(jti: str = "j", *, issued_ms: float = 1e15, issuers: tuple[str, ...] = ("i",)) -> AssertionUse:
    return AssertionUse(issuers, jti, 60.0, issued_ms / 1000)


async def mark_used(fleet: Fleet, *uses: AssertionUse, claimant: str = "node") -> list[UseOutcome]:
    return list((await fleet.assertions(claimant).mark_used(uses)).outcomes)


@pytest.fixture
async def admitted(fleet: Fleet) -> Fleet:
    """A fleet in which ``node`` may mark assertions."""
    await fleet.set_head(claims_gated="1")
    await fleet.redis.hset(LAYOUT.claimants, "node", "1")
    return fleet


async def test_an_assertion_is_used_once_under_any_of_its_names(admitted: Fleet) -> None:
    before = (await admitted.relay.look()).at
    assert await mark_used(admitted, use(issuers=("a", "b")), use("k")) == [UseOutcome.MARKED] * 2
    outcomes = await mark_used(admitted, use(issuers=("b", "c")), use("l"))
    assert outcomes == [UseOutcome.USED, UseOutcome.MARKED]
    assert await mark_used(admitted, use(issuers=("c",))) == [UseOutcome.USED]  # marked in addition
    assert await admitted.redis.pexpiretime(LAYOUT.assertion("a", "j")) >= before + 60_000 + LEEWAY_MS


async def test_only_who_is_admitted_claims_where_claims_are_gated(admitted: Fleet) -> None:
    with pytest.raises(UnexpectedClaimantError):
        await mark_used(admitted, use(), claimant="stranger")
    assert not await admitted.redis.exists(LAYOUT.assertion("i", "j"))
    await admitted.set_head(claims_gated="0")
    assert await mark_used(admitted, use(), claimant="stranger") == [UseOutcome.MARKED]


async def test_a_redis_that_nobody_vouched_for_remembers_nothing(admitted: Fleet) -> None:
    await admitted.distrust()
    with pytest.raises(RedisUnavailableError, match="not yet trusted"):
        await mark_used(admitted, use())
    assert not await admitted.redis.exists(LAYOUT.assertion("i", "j"))


async def test_what_may_have_been_issued_before_the_barrier_is_refused(admitted: Fleet) -> None:
    barrier = 1_000_000_000
    await admitted.set_head(replay_barrier=barrier)
    before, after = use("x", issued_ms=barrier + LEEWAY_MS), use("y", issued_ms=barrier + LEEWAY_MS + 1)
    assert await mark_used(admitted, before, after) == [UseOutcome.BEFORE_BARRIER, UseOutcome.MARKED]
    assert not await admitted.redis.exists(LAYOUT.assertion("i", "x"))


async def test_who_cannot_bring_memory_back_is_held_to_the_last_loss(admitted: Fleet) -> None:
    lost = 1_000_000_000
    await admitted.set_head(replay_barrier=5, replay_lost_at=lost)
    assert await mark_used(admitted, use(issued_ms=lost)) == [UseOutcome.MARKED]
    assert await mark_used(admitted, use("k", issued_ms=lost), claimant="") == [UseOutcome.BEFORE_BARRIER]


async def test_marks_that_are_brought_back_count_and_change_none_that_is_there(admitted: Fleet) -> None:
    mark = LAYOUT.assertion("i", "j")
    assert await admitted.assertions().restore_marks(EPOCH, [(mark, 60.0)])
    assert await mark_used(admitted, use()) == [UseOutcome.USED]
    until = await admitted.redis.pexpiretime(mark)
    assert await admitted.assertions().restore_marks(EPOCH, [(mark, 600.0)])
    assert await admitted.redis.pexpiretime(mark) == until


# -- claimants


async def keep(fleet: Fleet, *orders: tuple[Order, str], keeper: str = "relay", **view: Any) -> Any:
    seen = await fleet.relay.read_claimants()
    seen = replace(seen, **{"now": seen.now + HOUR_MS, **view})
    return await fleet.relay.keep_claimants(seen, keeper, orders)


async def test_claimants_are_admitted_and_forgotten(fleet: Fleet) -> None:
    await keep(fleet)
    kept = await keep(fleet, (Order.ADMIT, "x"), (Order.ADMIT, "y"))
    assert kept.nodes == {"x", "y"}
    kept = await keep(fleet, (Order.FORGET, "x"), (Order.FORGET, "z"))
    assert kept.nodes == {"y"}
    assert kept.forgotten_at == await fleet.number("claims_kept_at")
    forgotten = kept.forgotten_at
    assert (await keep(fleet, (Order.FORGET, "z"))).forgotten_at == forgotten  # it was not a claimant


@pytest.mark.parametrize("record", ["alive", "unreadable"])
async def test_a_claimant_that_may_be_alive_is_not_forgotten(fleet: Fleet, record: str) -> None:
    await keep(fleet, (Order.ADMIT, "x"))
    now = (await fleet.relay.look()).at
    text = f"{now + HOUR_MS}|1|1|1|1|{{}}" if record == "alive" else "nonsense"
    await fleet.redis.hset(LAYOUT.nodes, "x", text)
    assert (await keep(fleet, (Order.FORGET, "x"))).nodes == {"x"}
    await fleet.redis.hset(LAYOUT.nodes, "x", f"{now - 1}|1|1|1|1|{{}}")
    assert (await keep(fleet, (Order.FORGET, "x"))).nodes == set()


async def test_the_barrier_falls_when_nobody_is_awaited_any_more(fleet: Fleet) -> None:
    await fleet.distrust()
    await fleet.open(NEXT, claimants=Claimants(frozenset({"x", "y"}), 7))
    opened = await fleet.number("opened_at")
    await keep(fleet, (Order.ADMIT, "x"))  # no change for an awaited claimant
    assert await fleet.redis.hget(LAYOUT.claimants, "x") == b"0"
    await keep(fleet, (Order.RETURNED, "x"), (Order.RETURNED, "stranger"))
    assert await fleet.redis.hgetall(LAYOUT.claimants) == {b"x": b"1", b"y": b"0"}
    assert await fleet.number("replay_barrier") == opened
    await keep(fleet, (Order.RETURNED, "y"))
    assert await fleet.number("replay_barrier") == 7


async def test_the_barrier_stays_where_one_that_was_awaited_has_died(fleet: Fleet) -> None:
    await fleet.distrust()
    await fleet.open(NEXT, claimants=Claimants(frozenset({"x", "y"}), 7))
    opened = await fleet.number("opened_at")
    await keep(fleet, (Order.RETURNED, "x"), (Order.FORGET, "y"))
    assert await fleet.number("replay_barrier") == opened


async def test_of_an_epoch_of_an_earlier_release_nobody_knows_who_claimed(fleet: Fleet) -> None:
    await fleet.redis.hdel(LAYOUT.head, "claims_gated")
    await fleet.set_head(replay_barrier=9, replay_floor=5)
    kept = await keep(fleet)
    assert kept.forgotten_at == await fleet.number("claims_kept_at")
    assert await fleet.number("replay_barrier") == 9
    assert await fleet.head("claims_gated") == "1"


@pytest.mark.parametrize(
    ("head", "view", "why"),
    [
        ({"vouched": "another-process"}, {}, NotKept.UNTRUSTED),
        ({}, {"head": None}, NotKept.UNTRUSTED),
        ({}, {"run_id": "another-process"}, NotKept.ELSEWHERE),
        ({}, {"now": 1}, NotKept.ELSEWHERE),
        ({"claims_keeper": "another", "claims_kept_at": 10**15}, {}, NotKept.ELSEWHERE),
    ],
)
async def test_who_keeps_claimants_is_one_relay_that_knows_this_redis(
    fleet: Fleet, head: dict[str, Any], view: dict[str, Any], why: NotKept
) -> None:
    if head:
        await fleet.set_head(**head)
    before = await fleet.everything()
    assert await keep(fleet, (Order.ADMIT, "x"), **view) is why
    assert await fleet.everything() == before


async def test_claimants_of_another_epoch_are_not_kept(fleet: Fleet) -> None:
    seen = replace(await fleet.relay.read_claimants(), now=10**15)
    await fleet.set_head(epoch=NEXT)
    before = await fleet.everything()
    assert await fleet.relay.keep_claimants(seen, "relay", [(Order.ADMIT, "x")]) is NotKept.ELSEWHERE
    assert await fleet.everything() == before


async def test_another_relay_keeps_them_when_the_one_before_is_silent(fleet: Fleet) -> None:
    await fleet.set_head(claims_keeper="another", claims_kept_at=1)
    assert (await keep(fleet, (Order.ADMIT, "x"))).nodes == {"x"}
    assert (await keep(fleet, (Order.ADMIT, "y"))).nodes == {"x", "y"}
    await fleet.set_head(claims_kept_at=await fleet.number("claims_kept_at") + HOUR_MS)
    assert await keep(fleet, (Order.ADMIT, "z"), keeper="another") is NotKept.ELSEWHERE
