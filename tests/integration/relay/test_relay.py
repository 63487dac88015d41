"""The relay keeps Redis equal to the database, event by event."""

import time
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from keyturn_credentials.fleet.view import describe
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.relay.event_log import LogPoint, ProjectionBatch, Projections
from keyturn_credentials.store.retention import forget_events
from keyturn_shared.fleet.registry import summarize
from keyturn_shared.position import Position
from keyturn_shared.projection import client_field, decode_client, decode_realm, realm_field
from tests.integration.relay.conftest import ACTOR, Scene
from tests.integration.relay.seen import add_client, projections, stream
from tests.testkit.stored_projections import stored_projections


async def test_a_first_start_fills_redis_and_then_publishes_in_order(scene: Scene) -> None:
    realm = (await scene.realms.create(ACTOR, {"realm": "acme"})).value
    relay = scene.relay()
    assert await relay.inspect()
    await add_client(scene, "a")
    await add_client(scene, "b")
    assert await relay.publish_new() == 2
    seen = await stream(scene.redis)
    assert [kind for _, kind in seen] == ["epoch_opened", "client_created", "client_created"]
    assert [position.sequence for position, _ in seen] == [1, 2, 3]
    assert len({position.epoch for position, _ in seen}) == 1
    stored = await projections(scene)
    assert set(stored) == {realm_field("acme"), client_field(realm.id, "a"), client_field(realm.id, "b")}
    assert decode_realm(stored[realm_field("acme")])[1].name == "acme"
    assert decode_client(stored[client_field(realm.id, "a")])[0] == 2


async def test_events_are_not_published_with_projections_from_before_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    realm = (await scene.realms.create(ACTOR, {"realm": "acme"})).value
    uuid = await add_client(scene, "a")
    relay = scene.relay()
    await relay.inspect()
    former = await stored_projections(scene.database, [client_field(realm.id, "a")])
    await scene.clients.update(ClientTarget(ACTOR, "acme", uuid), {"name": "another"})

    async def set_back(*_: object) -> Projections:
        return Projections(former, LogPoint())

    with monkeypatch.context() as patched:
        patched.setattr(scene.log, "projections", set_back)
        assert await relay.publish_new() == 0
        assert [position.sequence for position, _ in await stream(scene.redis)] == [2]
    assert await relay.inspect()
    assert [position.sequence for position, _ in await stream(scene.redis)] == [2, 3]


async def test_a_deleted_client_leaves_redis_with_its_event(scene: Scene) -> None:
    realm = (await scene.realms.create(ACTOR, {"realm": "acme"})).value
    uuid = await add_client(scene, "a")
    relay = scene.relay()
    await relay.inspect()
    await scene.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    await relay.publish_new()
    assert client_field(realm.id, "a") not in await projections(scene)


async def test_another_relay_that_takes_over_goes_on_without_gap_or_repetition(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    first = scene.relay("relay-1")
    await first.inspect()
    await add_client(scene, "a")
    await first.publish_new()
    await add_client(scene, "b")
    await scene.log.release_relay_lease("relay-1")
    second = scene.relay("relay-2")
    assert await second.inspect()
    assert await first.publish_new() == 0, "what the second published is not published again"
    assert [position.sequence for position, _ in await stream(scene.redis)] == [1, 2, 3]


async def test_only_one_relay_works_at_a_time(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    assert await scene.relay("relay-1").inspect()
    assert not await scene.relay("relay-2").inspect()


async def test_a_relay_goes_on_when_the_log_was_cut_behind_it(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    assert await relay.inspect()
    await add_client(scene, "a")
    assert await relay.publish_new() == 1
    epochs = {position.epoch for position, _ in await stream(scene.redis)}
    async with scene.store.change(ACTOR) as transaction:
        assert await forget_events(transaction, before=time.time() + 60.0, most=100) == 1
    await add_client(scene, "b")
    assert await relay.inspect()
    assert await scene.relay("relay-2").inspect() is False
    seen = await stream(scene.redis)
    assert [position.sequence for position, _ in seen] == [1, 2, 3]
    assert {position.epoch for position, _ in seen} == epochs


async def test_a_wait_is_safe_once_every_node_reported_or_ran_out(scene: Scene) -> None:
    done = await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    await scene.node("n1").renew(head.position, "{}")
    await scene.node("n2").renew(Position(head.position.epoch, 0), "{}")
    assert summarize(await scene.registry.view(done.sequence), done.sequence).pending == ("n2",)
    await scene.node("n2").renew(head.position, "{}")
    assert summarize(await scene.registry.view(done.sequence), done.sequence).applied == 2
    view = await scene.registry.view(done.sequence)
    late = replace(view, now=view.nodes[0].expires_at + 1_000)
    assert summarize(late, done.sequence).pending == ()


async def test_a_closed_fleet_reopens_without_a_pause_or_a_barrier(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    first = scene.relay("relay-1")
    await first.inspect()
    await scene.node("n1").renew(Position(0, 0), "{}")
    assert not await first.close(), "a node may still hold a lease"
    await scene.node("n1").leave()
    again = scene.relay("relay-1")
    await again.inspect()
    assert await again.close()
    closed = (await again._channel.look()).head
    assert closed is not None
    assert not closed.trusted
    later = scene.relay("relay-2")
    await later.inspect()
    head = (await later._channel.look()).head
    assert head is not None
    assert head.trusted
    assert head.complete
    assert head.position.sequence == closed.position.sequence
    assert head.position.epoch > closed.position.epoch, "whatever the nodes of then had, it is over"
    assert (head.waits_after, head.replay_barrier) == (0, 0)
    assert (await scene.log.fleet_state()).closed_nonce is None


async def test_a_view_without_a_sequence_is_judged_towards_the_newest_event(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    await add_client(scene, "a")
    await relay.publish_new()
    head = (await relay._channel.look()).head
    assert head is not None
    await scene.node("n1").renew(head.position, "{}")
    assert describe(await scene.registry.view())["pending"] == []
    assert describe(await scene.registry.view())["applied"] == 1


async def test_a_client_deleted_during_a_filling_does_not_come_back_with_it(scene: Scene) -> None:
    realm = (await scene.realms.create(ACTOR, {"realm": "acme"})).value
    uuids = {name: await add_client(scene, name) for name in "abc"}
    read_all = scene.log.all_projections

    async def read_and_then_delete(batch_size: int) -> AsyncGenerator[ProjectionBatch, None]:
        async for batch in read_all(batch_size):
            for name in [name for name in uuids if client_field(realm.id, name) == batch.rows[0][0]]:
                if name != "a":
                    await scene.clients.delete(ClientTarget(ACTOR, "acme", uuids[name]))
            yield batch

    scene.log.all_projections = read_and_then_delete  # type: ignore[method-assign]  # to come between
    assert await scene.relay(fill_batch=1).inspect()
    assert set(await projections(scene)) == {realm_field("acme"), client_field(realm.id, "a")}
