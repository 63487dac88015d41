"""Rotations that callers begin, hold up, confirm and give up."""

import pytest

from keyturn_credentials.domain.rotation import Reason, State
from keyturn_credentials.errors import ConflictError, InvalidRequestError, NotFoundError
from keyturn_credentials.operations.targets import RealmTarget
from tests.conformance.store.conftest import ACTOR
from tests.conformance.store.rotations.scene import DAY, POLICY, Scene, target


async def test_a_rotation_begun_by_a_caller_is_prepared_when_the_call_returns(scene: Scene) -> None:
    uuid = await scene.create("orders")
    former = (await scene.client(uuid)).secrets.current
    started = await scene.operations.rotations.start(target(uuid), Reason.MANUAL)
    assert started.rotation.state is State.PREPARED
    assert started.sequence is not None
    assert former is not None
    secrets = (await scene.client(uuid)).secrets
    assert secrets.rotated is not None
    assert secrets.rotated.digest == former.digest
    with pytest.raises(ConflictError):
        await scene.operations.rotations.start(target(uuid), Reason.MANUAL)


async def test_a_compromised_secret_ends_at_once_whatever_is_under_way(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.operations.rotations.start(target(uuid), Reason.MANUAL)
    scene.clock.time += 1
    started = await scene.operations.rotations.start(target(uuid), Reason.COMPROMISED)
    assert started.rotation.state is State.RETIRED
    assert (await scene.client(uuid)).secrets.rotated is None
    scene.fleet.applies = False
    await scene.run()
    assert await scene.state(uuid) is State.RETIRED
    scene.fleet.applies = True
    await scene.run()
    newest, older = await scene.rotations(uuid)
    assert (newest.state, older.state) == (State.DONE, State.SUPERSEDED)


async def test_one_that_is_given_up_restores_the_former_secret_and_is_not_begun_again_at_once(
    scene: Scene,
) -> None:
    uuid = await scene.create("orders")
    former = (await scene.client(uuid)).secrets.current
    await scene.run(days=28)
    (rotation,) = await scene.rotations(uuid)
    moved = await scene.operations.rotations.cancel(ACTOR, "acme", rotation.id)
    assert (moved.rotation.state, moved.sequence is not None) == (State.ROLLED_BACK, True)
    secrets = (await scene.client(uuid)).secrets
    assert former is not None
    assert secrets.current is not None
    assert (secrets.current.digest, secrets.rotated) == (former.digest, None)
    await scene.run()
    assert len(await scene.rotations(uuid)) == 1
    with pytest.raises(ConflictError):
        await scene.operations.rotations.cancel(ACTOR, "acme", rotation.id)


async def test_a_client_keeps_its_secret_after_its_rotation_was_given_up_late(scene: Scene) -> None:
    no_overlap = {"keyturn.secret.rotated-expiration-period": ""}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": POLICY | no_overlap})
    uuid = await scene.create("orders")
    former = (await scene.client(uuid)).secrets.current
    await scene.run(days=28)
    await scene.run(days=40)
    (rotation,) = await scene.rotations(uuid)
    await scene.operations.rotations.cancel(ACTOR, "acme", rotation.id)
    for _ in range(30):
        await scene.run(days=1)
        secrets = (await scene.client(uuid)).secrets
        valid = [
            each for each in (secrets.current, secrets.rotated) if each and each.is_valid(scene.clock.time)
        ]
        assert former is not None
        assert former.digest in [each.digest for each in valid]
    assert await scene.state(uuid) is State.PREPARED, "the next one"


async def test_one_cannot_be_given_up_once_its_former_secret_has_ended(scene: Scene) -> None:
    uuid, other = await scene.create("orders"), await scene.create("billing")
    await scene.run(days=28)
    await scene.use_current(uuid)
    await scene.run()
    scene.clock.time += 3 * DAY
    await scene.operations.secrets.regenerate(target(other))
    for each in (uuid, other):
        before = (await scene.client(each)).secrets
        (rotation,) = await scene.rotations(each)
        assert rotation.state.is_open
        with pytest.raises(ConflictError):
            await scene.operations.rotations.cancel(ACTOR, "acme", rotation.id)
        assert (await scene.client(each)).secrets == before


async def test_one_given_up_before_it_began_leaves_the_current_secret(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes={"keyturn.rotation.window": "mon 01:00-01:01"})
    scene.clock.time = 1_000_000.0
    current = (await scene.operations.secrets.regenerate(target(uuid))).value
    await scene.run(days=29)
    (rotation,) = await scene.rotations(uuid)
    await scene.operations.rotations.cancel(ACTOR, "acme", rotation.id)
    kept = (await scene.client(uuid)).secrets.current
    assert kept is not None
    assert kept.secret == current


async def test_a_paused_one_waits_for_a_person(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.run(days=28)
    (rotation,) = await scene.rotations(uuid)
    await scene.operations.rotations.pause(ACTOR, "acme", rotation.id)
    await scene.use_current(uuid)
    await scene.run(days=10)
    assert await scene.state(uuid) is State.PREPARED
    await scene.operations.rotations.resume(ACTOR, "acme", rotation.id)
    await scene.run()
    assert await scene.state(uuid) is State.IN_USE


async def test_a_delivery_that_somebody_confirms_hides_the_secret_where_only_digests_are_kept(
    scene: Scene,
) -> None:
    attributes = POLICY | {"keyturn.secret.digest-only": "true"}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": attributes})
    uuid = await scene.create("orders")
    await scene.run(days=28)
    await scene.operations.maintenance.forget_secrets()
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert current.secret is not None
    (rotation,) = await scene.rotations(uuid)
    await scene.operations.rotations.confirm_delivery(ACTOR, "acme", rotation.id)
    await scene.run()
    assert await scene.state(uuid) is State.DELIVERED
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert current.secret is None


@pytest.mark.parametrize("reason", [Reason.COMPROMISED, Reason.MANUAL])
async def test_where_only_digests_are_kept_a_secret_is_there_until_its_client_has_it(
    scene: Scene, reason: Reason
) -> None:
    attributes = POLICY | {"keyturn.secret.digest-only": "true"}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": attributes})
    uuid = await scene.create("orders")
    started = await scene.operations.rotations.start(target(uuid), reason)
    if reason is Reason.MANUAL:
        await scene.operations.secrets.revoke_rotated(target(uuid))
    await scene.run(days=40)
    await scene.operations.maintenance.forget_secrets()
    await scene.operations.clients.update(target(uuid), {"description": "Orders"})
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert current.secret is not None
    assert current.is_valid(scene.clock.time)
    assert await scene.state(uuid) is State.RETIRED
    await scene.operations.rotations.confirm_delivery(ACTOR, "acme", started.rotation.id)
    await scene.run()
    assert await scene.state(uuid) is State.DONE
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert (current.secret, current.rotation) == (None, None)
    assert current.expires_at == pytest.approx(scene.clock.time + 30 * DAY, abs=600)


async def test_a_delivery_is_not_confirmed_before_there_is_a_new_secret(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes={"keyturn.rotation.window": "mon 01:00-01:01"})
    scene.clock.time = 1_000_000.0
    await scene.run(days=28)
    (rotation,) = await scene.rotations(uuid)
    assert rotation.state is State.PLANNED
    with pytest.raises(ConflictError):
        await scene.operations.rotations.confirm_delivery(ACTOR, "acme", rotation.id)


async def test_a_replaced_successor_is_not_kept_in_full_where_only_digests_are_kept(scene: Scene) -> None:
    attributes = POLICY | {"keyturn.secret.digest-only": "true"}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": attributes})
    uuid = await scene.create("orders")
    await scene.operations.rotations.start(target(uuid), Reason.MANUAL)
    await scene.operations.secrets.regenerate(target(uuid))
    secrets = (await scene.client(uuid)).secrets
    for stored in (secrets.current, secrets.rotated):
        assert stored is not None
        assert (stored.secret, stored.rotation) == (None, None)


async def test_what_has_no_secret_or_does_not_exist_is_refused(scene: Scene) -> None:
    public = await scene.create("site", publicClient=True)
    with pytest.raises(InvalidRequestError):
        await scene.operations.rotations.start(target(public), Reason.MANUAL)
    with pytest.raises(NotFoundError):
        await scene.operations.rotations.start(target("nobody"), Reason.MANUAL)
    for call in (scene.operations.rotations.pause, scene.operations.rotations.cancel):
        with pytest.raises(NotFoundError):
            await call(ACTOR, "acme", "no-rotation")
        with pytest.raises(NotFoundError):
            await call(ACTOR, "nowhere", "no-rotation")
