"""The relay finds a Redis or database whose state has changed."""

import time
from dataclasses import replace
from typing import Any

import pytest

from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.store.retention import forget_events
from keyturn_shared.events import decode_event
from keyturn_shared.fleet.partitions import ONE_PARTITION
from keyturn_shared.fleet.reading import Loaded, ProjectionReader
from keyturn_shared.fleet.registry import UNACCOUNTED, summarize
from keyturn_shared.fleet.relay_channel import LeaseTerms
from keyturn_shared.position import BEGINNING, Position
from keyturn_shared.projection import client_field, realm_field
from tests.integration.relay.conftest import ACTOR, Scene
from tests.integration.relay.seen import LAYOUT, a_client_of_acme, add_client, projections, stream
from tests.testkit.redis_reading import entries_of

_NOTHING: dict[str, Any] = {"closed_nonce": None, "statement": b""}


async def test_a_flush_opens_a_new_epoch_with_everything_in_it(scene: Scene) -> None:
    realm = (await scene.realms.create(ACTOR, {"realm": "acme"})).value
    await add_client(scene, "a")
    relay = scene.relay()
    await relay.inspect()
    before = (await stream(scene.redis))[-1][0]
    await scene.redis.flushall()
    await add_client(scene, "b")
    await relay.inspect()
    after = (await stream(scene.redis))[-1][0]
    assert after.epoch > before.epoch
    assert set(await projections(scene)) == {
        realm_field("acme"),
        client_field(realm.id, "a"),
        client_field(realm.id, "b"),
    }


@pytest.mark.parametrize("restored", [False, True])
async def test_where_leases_become_shorter_waits_outlast_the_longer_ones(
    scene: Scene, restored: bool
) -> None:
    uuid = await a_client_of_acme(scene)
    longer, shorter = LeaseTerms(30, 1), LeaseTerms(0.2, 0.1)
    await scene.relay(terms=longer).inspect()
    node = scene.node("node-1")
    head = (await node.renew(BEGINNING, "{}")).head
    assert head is not None
    assert (await node.renew(head, "{}")).lease_seconds == 30
    if restored:  # the new terms come with an epoch
        await scene.log.replace_fleet_state(await scene.log.fleet_state(), FleetState(head.epoch + 1))
    relay = scene.relay(terms=shorter)
    assert await relay.inspect()
    await node.renew(head, "{}")  # the answer is lost: the node relies on its existing lease
    await scene.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    await relay.publish_new()
    view = await scene.registry.view(3)
    assert not summarize(replace(view, now=view.now + 25_000), 3).safe
    assert summarize(replace(view, now=view.now + 31_001), 3).safe


async def test_after_a_flush_no_wait_succeeds_before_forgotten_leases_have_ended(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    await scene.redis.flushall()
    await relay.inspect()
    assert summarize(await scene.registry.view(1), 1).pending == (UNACCOUNTED,)
    view = await scene.registry.view(1)
    assert view.head is not None
    assert summarize(replace(view, now=view.head.waits_after), 1).safe


async def test_a_database_set_back_opens_a_new_epoch(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    state = await scene.log.fleet_state()
    assert await scene.log.replace_fleet_state(state, FleetState(state.epoch - 5))
    await relay.inspect()
    opened = await stream(scene.redis)
    assert opened[-1][0].epoch > opened[0][0].epoch
    entries = await entries_of(scene.redis, LAYOUT.events)
    reason = decode_event(entries[-1][1][b"__data__"])
    assert getattr(reason, "reason", None) == "database_older_than_redis"


async def test_redis_that_is_further_behind_than_the_log_goes_back_is_filled_anew(scene: Scene) -> None:
    realm = (await scene.realms.create(ACTOR, {"realm": "acme"})).value
    uuid = await add_client(scene, "deleted")
    relay = scene.relay()
    assert await relay.inspect()
    await add_client(scene, "a")
    await scene.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    await add_client(scene, "b")
    async with scene.store.change(ACTOR) as transaction:
        assert await forget_events(transaction, before=time.time() + 60.0, most=100) == 4
    assert await relay.publish_new() == 0
    assert not relay.settled
    assert await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    assert (head.position.sequence, head.complete) == (5, True)
    expected = {realm_field("acme"), client_field(realm.id, "a"), client_field(realm.id, "b")}
    assert set(await projections(scene)) == expected


async def test_what_another_redis_process_holds_is_carried_over_under_new_positions(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    before = (await relay._channel.look()).head
    assert before is not None
    await scene.node("node-1").renew(before.position, "{}")
    await relay.inspect()
    filled = await projections(scene)
    await scene.redis.hset(LAYOUT.head, "vouched", "the process before")
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    assert head.trusted
    assert head.complete
    assert head.position.epoch > before.position.epoch
    assert head.position.sequence == before.position.sequence
    assert await projections(scene) == filled
    assert not await scene.redis.exists(LAYOUT.projections(before.position.epoch))
    assert head.waits_after > 0, "leases that the other process gave may be held"
    assert head.replay_barrier > 0, "assertions that the other process saw may have been used"


async def test_nothing_is_carried_over_that_is_not_as_it_was_read(scene: Scene) -> None:
    """A relay may be suspended between looking and acting, and find another Redis when it continues."""
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    await scene.redis.hset(LAYOUT.head, "vouched", "the process before")
    seen = await relay._channel.look()
    head = seen.head
    assert head is not None
    epoch, sequence = head.position
    for other, look in (
        (head, replace(seen, run_id="0" * 40)),
        (replace(head, event_id="another"), seen),
        (replace(head, position=Position(epoch, sequence + 1)), seen),
        (replace(head, position=Position(epoch - 1, sequence)), seen),
    ):
        assert not await relay._channel.carry_over(
            other, epoch + 1, b"{}", seen=look, closed_nonce=None, statement=b""
        )
    assert not await relay._channel.carry_over(
        head, epoch, b"{}", seen=seen, closed_nonce=None, statement=b""
    )
    assert not await relay._channel.stamp(head, seen=seen, statement=b""), (
        "it is not the process that was vouched for"
    )
    unchanged = (await relay._channel.look()).head
    assert unchanged is not None
    assert (unchanged.position, unchanged.trusted) == (head.position, False)


@pytest.mark.parametrize("spoilt", ["", "nonsense", "of another epoch"])
async def test_what_nobody_has_signed_is_written_anew(scene: Scene, spoilt: str) -> None:
    """The head lacks a statement of the current key: Redis may hold forged data, or data signed with a former
    key."""
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    before = (await relay._channel.look()).head
    assert before is not None
    if spoilt == "of another epoch":
        spoilt = (await relay._statements.begin(7, 1, await relay._channel.look(), ONE_PARTITION)).decode()
    await scene.redis.hset(LAYOUT.head, "statement", spoilt)
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    assert head.position.epoch > before.position.epoch
    assert set(await projections(scene)) == {realm_field("acme")}


async def test_a_relay_that_was_overtaken_opens_no_epoch(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    seen = await scene.log.fleet_state()
    assert await scene.log.replace_fleet_state(seen, FleetState(seen.epoch + 1))
    assert await relay._take_epoch(seen) is None
    assert (await scene.log.fleet_state()).epoch == seen.epoch + 1


@pytest.mark.parametrize(("late", "accounted"), [(0, False), (5_000, True)])
async def test_a_relay_that_was_stopped_does_not_know_any_more_that_no_lease_is_held(
    scene: Scene, late: int, accounted: bool
) -> None:
    """Others may have relayed meanwhile, and Redis may have been emptied after that."""
    channel = scene.relay()._channel
    seen = await channel.look()
    before = replace(seen, at=seen.at - late)
    assert await channel.open_epoch(
        7, 0, "", b"{}", seen=before, closed_nonce=None, fresh=True, statement=b""
    )
    head = (await channel.look()).head
    assert head is not None
    assert (head.waits_after > 0, head.replay_barrier > 0) == (accounted, accounted)


async def test_what_was_read_of_another_redis_process_does_not_count_either(scene: Scene) -> None:
    channel = scene.relay()._channel
    before = replace(await channel.look(), run_id="0" * 40)
    assert await channel.open_epoch(
        7, 0, "", b"{}", seen=before, closed_nonce="closed", fresh=False, statement=b""
    )
    head = (await channel.look()).head
    assert head is not None
    assert head.waits_after > 0


@pytest.mark.parametrize("process", ["same", "another"])
async def test_projections_that_were_lost_alone_are_noticed_and_written_anew(
    scene: Scene, process: str
) -> None:
    """By eviction or manual deletion; meanwhile nothing is reported as absent."""
    await a_client_of_acme(scene)
    relay = scene.relay()
    await relay.inspect()
    before = (await relay._channel.look()).head
    assert before is not None
    filled = await projections(scene)
    reader = ProjectionReader(scene.scripts)
    assert (await reader.load("realm:nobody", before.position)).outcome is Loaded.ABSENT
    await scene.redis.delete(LAYOUT.projections(before.position.epoch))
    assert (await reader.load(realm_field("acme"), before.position)).outcome is Loaded.LOST
    await add_client(scene, "b")
    await relay.publish_new()  # brings the key back, with little in it
    assert (await reader.load(realm_field("acme"), before.position)).outcome is Loaded.LOST
    if process == "another":
        await scene.redis.hset(LAYOUT.head, "vouched", "the process before")
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    assert head.position.epoch > before.position.epoch
    assert filled.keys() < (await projections(scene)).keys()
    assert (await reader.load(realm_field("acme"), head.position)).outcome is Loaded.FOUND
    assert (await reader.load("realm:nobody", head.position)).outcome is Loaded.ABSENT


async def test_projections_of_an_earlier_release_bear_no_mark_and_count_as_they_are(scene: Scene) -> None:
    await a_client_of_acme(scene)
    relay = scene.relay()
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    await scene.redis.hdel(LAYOUT.projections(head.position.epoch), "complete")
    await scene.redis.hdel(LAYOUT.head, "marked")
    assert (
        await ProjectionReader(scene.scripts).load("realm:nobody", head.position)
    ).outcome is Loaded.ABSENT
    await scene.redis.hset(LAYOUT.head, "vouched", "the process before")
    await relay.inspect()
    carried = (await relay._channel.look()).head
    assert carried is not None
    assert (
        await ProjectionReader(scene.scripts).load("realm:nobody", carried.position)
    ).outcome is Loaded.ABSENT


async def test_projections_that_were_lost_while_they_were_written_are_not_called_complete(
    scene: Scene,
) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    epoch = head.position.epoch
    await scene.redis.hset(LAYOUT.head, "complete", "0")
    await scene.redis.delete(LAYOUT.projections(epoch))
    assert await relay._channel.write_projections(epoch, [("realm:later", 1, b"{}")])
    assert not await relay._channel.complete_epoch(epoch)
    assert await relay.inspect()
    mended = (await relay._channel.look()).head
    assert mended is not None
    assert (mended.complete, mended.position.epoch > epoch) == (True, True)
    assert realm_field("acme") in await projections(scene)
