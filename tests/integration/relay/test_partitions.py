"""Partitions of used assertions in a real Redis: how they are introduced, lost and given up."""

import pytest

from keyturn_credentials.relay import partition_plan
from keyturn_credentials.relay.partitions import Partitions
from keyturn_credentials.relay.relay import Relay
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.partitions import PARTITIONING, REMEMBERS, Partitioning
from keyturn_shared.fleet.relay_channel import RelayChannel
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, UnexpectedClaimantError, UseOutcome
from keyturn_shared.jose import strict_json
from keyturn_shared.position import Position
from keyturn_shared.signed_log.head import read_head_statement
from tests.integration.relay.conftest import ACTOR, LOG_KEYS, Scene
from tests.testkit.waiting import wait_until


async def stated(relay: Relay) -> Partitioning:
    head = (await relay._channel.look()).head
    assert head is not None
    return read_head_statement(head.statement, LOG_KEYS.verification()).partitioning


async def report(scene: Scene, name: str, partitioning: Partitioning) -> None:
    """Renew a node's record as one that marks by this partitioning."""
    head = (await scene.node(name).renew(Position(0, 0), "{}")).head
    assert head is not None
    details = strict_json.encode({PARTITIONING: str(partitioning), REMEMBERS: 0.1}).decode()
    await scene.node(name).renew(head, details)


async def test_a_new_fleet_has_the_wanted_partitions_from_the_start(scene: Scene) -> None:
    relay = scene.relay(partitions=3)
    await relay.inspect()
    assert await stated(relay) == Partitioning((3,))
    assert relay.repartitioning.tended.all == {1, 2, 3}


async def test_nodes_hear_of_new_partitions_once_they_can_use_them(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    former = scene.relay()
    await former.inspect()
    await former.close()
    relay = scene.relay("relay-2", partitions=2)
    await relay.inspect()
    assert await stated(relay) == Partitioning((1,))
    partitions = Partitions(
        lambda number: scene.keeper(number, "relay-2"), relay, elapsed=SystemClock().elapsed
    )
    await partitions.follow()
    try:
        await wait_until(lambda: relay.repartitioning.vouched == {1, 2})
    finally:
        await partitions.stop()
    await relay.inspect()
    assert await stated(relay) == Partitioning((1, 2))
    assert (await scene.log.fleet_state()).partitioning == Partitioning((1, 2))


async def test_a_number_is_given_up_once_every_node_has_agreed_for_long_enough(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_plan, "_MARGIN_SECONDS", 0.5)
    relay = scene.relay(partitions=2)
    await relay.inspect()
    other = scene.relay(partitions=1)  # an instance that was restarted with another setting
    await relay.close()
    await other.inspect()
    both = Partitioning((1, 2))
    assert await stated(other) == both
    await report(scene, "old", Partitioning((2,)))

    async def alone() -> bool:
        await other.inspect()
        return await stated(other) == Partitioning((1,))

    for _ in range(3):
        assert not await alone(), "a node still marks by the former number alone"
    await scene.node("old").leave()

    async def agreed() -> bool:
        await report(scene, "new", both)
        return await alone()

    await wait_until(agreed)


async def test_what_redis_was_told_counts_although_the_database_was_restored(scene: Scene) -> None:
    relay = scene.relay(partitions=4)
    await relay.inspect()
    state = await scene.log.fleet_state()
    assert await scene.log.replace_fleet_state(state, type(state)(state.epoch, None, Partitioning((1,))))
    await relay.inspect()
    assert await stated(relay) == Partitioning((1, 4))


USE = AssertionUse(("issuer",), "jti", 60.0, 0.0)


def registry(scene: Scene, claimant: str, partition: int = 5) -> AssertionRegistry:
    return AssertionRegistry(scene.scripts, 0.1, Layout(partition), claimant=claimant)


async def head_of(scene: Scene, partition: int = 5) -> Head | None:
    return (await RelayChannel(scene.scripts, None, Layout(partition)).look()).head  # type: ignore[arg-type]  # no terms to look


async def test_a_lost_partition_waits_for_what_its_nodes_remember(scene: Scene) -> None:
    keeper = scene.keeper(5)
    await keeper.tend(1)
    head = await head_of(scene)
    assert head is not None
    assert (head.trusted, head.replay_barrier) == (True, 0), "nobody has ever marked anything there"
    node = MembershipChannel(scene.scripts, "node", Layout(5))
    await node.renew(Position(head.position.epoch, 0), "{}")
    with pytest.raises(UnexpectedClaimantError):
        await registry(scene, "node").mark_used([USE])
    await keeper._claimants.keep()
    assert (await registry(scene, "node").mark_used([USE])).outcomes == (UseOutcome.MARKED,)
    await scene.redis.flushall()
    keeper._inspect_at = 0.0
    await keeper.tend(1)
    lost = await head_of(scene)
    assert lost is not None
    assert lost.position.epoch > head.position.epoch
    assert lost.replay_barrier > 0
    late = (await registry(scene, "node").mark_used([USE])).outcomes
    assert late == (UseOutcome.BEFORE_BARRIER,)
    marks = registry(scene, "node").marks(USE)
    assert await registry(scene, "").restore_marks(lost.position.epoch, marks)
    returned = strict_json.encode({"replay_memory": lost.position.epoch}).decode()
    await node.renew(Position(lost.position.epoch, 0), returned)
    await keeper._claimants.keep()
    assert (await registry(scene, "node").mark_used([USE])).outcomes == (UseOutcome.USED,)


async def test_whoever_may_not_have_led_all_the_time_does_not_know_the_claimants(scene: Scene) -> None:
    keeper = scene.keeper(5)
    await keeper.tend(1)
    await keeper._claimants.keep()
    assert keeper._claimants.known is not None
    await scene.redis.flushall()
    await keeper.tend(2)
    head = await head_of(scene)
    assert head is not None
    assert head.replay_barrier > 0


async def test_another_relay_that_has_opened_a_partition_is_noticed(scene: Scene) -> None:
    first, second = scene.keeper(5, "one"), scene.keeper(5, "two")
    await first.tend(1)
    await scene.redis.flushall()
    await second.tend(1)
    opened = await scene.log.partition_epoch(5)
    first._inspect_at = 0.0
    await first.tend(1)
    assert await scene.log.partition_epoch(5) == opened, "it is the one that is there"
    assert first.is_vouched
    assert first._claimants.known is None
