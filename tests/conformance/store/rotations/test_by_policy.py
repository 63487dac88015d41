"""Rotations that policies begin: each step once, in one transaction with its event."""

import asyncio

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Alert, Reason, State
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations import rotation_runner, rotation_scene
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.store import rotations
from tests.conformance.store.conftest import ACTOR
from tests.conformance.store.rotations.scene import DAY, POLICY, Scene, target


async def test_a_policy_alone_rotates_a_secret_whoever_touches_the_client_or_not(scene: Scene) -> None:
    uuid = await scene.create("orders")
    first = (await scene.client(uuid)).secrets.current
    await scene.run(days=26)
    assert await scene.rotations(uuid) == [], "it has four days left"
    await scene.run(days=1)
    prepared = await scene.client(uuid)
    assert await scene.state(uuid) is State.PREPARED
    assert first is not None
    assert prepared.secrets.rotated is not None
    assert (prepared.secrets.rotated.digest, prepared.secrets.rotated.expires_at) == (first.digest, None)
    await scene.use_current(uuid)
    await scene.run()
    assert await scene.state(uuid) is State.IN_USE
    await scene.run(days=2)
    (done,) = await scene.rotations(uuid)
    states = [State.PLANNED, State.PREPARED, State.IN_USE, State.RETIRED, State.DONE]
    assert [move.state for move in done.history] == states
    sequences = [move.sequence for move in done.history]
    assert [sequence is not None for sequence in sequences] == [False, True, True, True, False]
    after = await scene.client(uuid)
    assert after.secrets.rotated is None
    assert after.secrets.current is not None
    assert after.secrets.current.rotation is None
    assert after.secrets.current.expires_at == pytest.approx(done.history[2].at + 30 * DAY)


async def test_a_policy_reaches_secrets_that_were_there_before_it(scene: Scene) -> None:
    target = RealmTarget(ACTOR, "acme")
    await scene.operations.realms.update(target, {"attributes": dict.fromkeys(POLICY, "")})
    uuids = [await scene.create(f"client-{number:03}") for number in range(205)]
    public = await scene.create("site", publicClient=True)
    await scene.operations.realms.update(target, {"attributes": POLICY})
    await scene.run()
    for uuid in (uuids[0], uuids[-1]):
        current = (await scene.client(uuid)).secrets.current
        assert current is not None
        assert current.expires_at == pytest.approx(scene.clock.time + 30 * DAY, abs=600)
    assert (await scene.client(public)).secrets.current is None


async def test_a_client_that_never_takes_its_new_secret_keeps_the_old_one(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.run(days=28)
    await scene.run(days=365)
    (rotation,) = await scene.rotations(uuid)
    assert (rotation.state, rotation.alert) == (State.PREPARED, Alert.UNUSED)
    assert await scene.runners[0].count() == {(State.PREPARED, True): 1}
    client = await scene.client(uuid)
    assert client.secrets.rotated is not None
    assert client.secrets.rotated.is_valid(scene.clock.time)


async def test_an_ordinary_change_leaves_a_rotation_under_way_alone(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.run(days=28)
    before = (await scene.client(uuid)).secrets
    await scene.operations.clients.update(ClientTarget(ACTOR, "acme", uuid), {"description": "Orders"})
    assert (await scene.client(uuid)).secrets == before


async def test_a_new_secret_by_hand_supersedes_it(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.run(days=28)
    await scene.operations.secrets.regenerate(ClientTarget(ACTOR, "acme", uuid))
    await scene.run()
    assert await scene.state(uuid) is State.SUPERSEDED


async def test_instances_that_run_at_once_take_each_step_once(scene: Scene) -> None:
    uuids = [await scene.create(f"client-{number}") for number in range(5)]
    scene.clock.time += 28 * DAY
    await asyncio.gather(*(runner.plan() for runner in scene.runners))
    await asyncio.gather(*(runner.advance() for runner in scene.runners))
    await scene.run()
    for uuid in uuids:
        (rotation,) = await scene.rotations(uuid)
        assert [move.state for move in rotation.history] == [State.PLANNED, State.PREPARED]
        client = await scene.client(uuid)
        assert client.secrets.current is not None
        assert client.secrets.current.rotation == rotation.id


async def test_no_more_than_the_realm_allows_are_under_way(scene: Scene) -> None:
    limit = {"keyturn.rotation.max-at-once": "2"}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": POLICY | limit})
    uuids = [await scene.create(f"client-{number}") for number in range(5)]
    await scene.run(days=28)
    states = [await scene.state(uuid) for uuid in uuids]
    assert sorted(states) == [State.PLANNED] * 3 + [State.PREPARED] * 2
    for uuid in uuids:
        client = await scene.client(uuid)
        assert client.secrets.current is not None
        assert client.secrets.current.is_valid(scene.clock.time)


async def test_one_that_must_wait_does_not_let_the_only_secret_expire(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes={"keyturn.rotation.window": "mon 01:00-01:01"})
    scene.clock.time = 1_000_000.0
    await scene.run(days=28)
    assert await scene.state(uuid) is State.PLANNED
    await scene.run(days=1)
    client = await scene.client(uuid)
    assert client.secrets.current is not None
    assert client.secrets.current.expires_at is None
    (rotation,) = await scene.rotations(uuid)
    await scene.operations.rotations.cancel(ACTOR, "acme", rotation.id)
    client = await scene.client(uuid)
    assert client.secrets.current is not None
    assert client.secrets.current.expires_at == pytest.approx(scene.clock.time + 6 * DAY)


async def test_without_redis_nothing_is_taken_for_used(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.run(days=28)
    await scene.use_current(uuid)
    scene.fleet.answers = False
    await scene.run()
    assert await scene.state(uuid) is State.PREPARED
    scene.fleet.answers = True
    await scene.run()
    assert await scene.state(uuid) is State.IN_USE


async def test_clients_whose_rotations_do_not_begin_are_in_the_way_of_no_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation_runner, "BATCH", 2)
    own = POLICY | {"keyturn.rotation.automatic": "True"}
    by_hand = POLICY | {"keyturn.rotation.automatic": "false"}
    for number in range(3):
        await scene.create(f"own-{number}", attributes=by_hand)
        await scene.create(f"realm-{number}", attributes={"keyturn.rotation.automatic": " False "})
        site = await scene.create(f"site-{number}")
        public = {"publicClient": True, "attributes": POLICY if number == 0 else {}}
        await scene.operations.clients.update(target(site), public)
    scene.clock.time += 60.0
    uuids = [await scene.create("orders", attributes=own), await scene.create("billing")]
    await scene.run(days=28)
    for uuid in uuids:
        assert await scene.state(uuid) is State.PREPARED


async def test_a_client_may_ask_for_rotations_that_begin_by_themselves(scene: Scene) -> None:
    by_hand = POLICY | {"keyturn.rotation.automatic": "false"}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": by_hand})
    itself = {"keyturn.rotation.automatic": "true"}
    uuids = [
        await scene.create("orders", attributes=itself),
        await scene.create("billing", attributes=itself | POLICY),
    ]
    others = [await scene.create("mail"), await scene.create("news", attributes=POLICY)]
    await scene.run(days=28)
    for uuid in uuids:
        assert await scene.state(uuid) is State.PREPARED
    for uuid in others:
        assert await scene.rotations(uuid) == []


async def test_one_that_cannot_be_prepared_holds_no_other_up(scene: Scene) -> None:
    first = await scene.create("a", clientAuthenticatorType="client-secret-jwt")
    second = await scene.create("b")
    digests = POLICY | {"keyturn.secret.digest-only": "true"}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": digests})
    await scene.run(days=28)
    for uuid in (first, second):
        assert await scene.state(uuid) is State.PREPARED
    current = (await scene.client(first)).secrets.current
    assert current is not None
    assert current.secret is not None, "its client signs with it"


async def test_attributes_that_cannot_be_read_hold_no_other_client_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(realm: Realm, client: Client) -> rotation_scene.Scene:
        if client.client_id == "a":
            raise InvalidRequestError("an earlier build stored this")
        return rotation_scene.scene_of(realm, client)

    first, second = await scene.create("a"), await scene.create("b")
    await scene.operations.rotations.start(target(first), Reason.MANUAL)
    third = await scene.create("c", attributes={"keyturn.rotation.window": "00:00-24:00"})
    monkeypatch.setattr(rotation_runner, "scene_of", read)
    await scene.run(days=28)
    for uuid in (second, third):
        assert await scene.state(uuid) is State.PREPARED


async def test_the_newest_ended_rotations_of_a_client_are_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotations, "MAX_ENDED", 2)
    uuid, other = await scene.create("orders"), await scene.create("billing")
    await scene.operations.rotations.start(target(other), Reason.COMPROMISED)
    begun = []
    for _ in range(5):
        scene.clock.time += 1
        started = await scene.operations.rotations.start(target(uuid), Reason.COMPROMISED)
        begun.append(started.rotation.id)
    assert [each.id for each in await scene.rotations(uuid)] == begun[:-4:-1]
    assert len(await scene.rotations(other)) == 1


async def test_a_deleted_client_takes_its_rotations_along(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.run(days=28)
    await scene.operations.clients.delete(target(uuid))
    await scene.run()
    assert await scene.rotations(uuid) == []
