"""Rotations whose client takes the new secret itself."""

import pytest

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Kind, Reason, State, WaitsFor
from keyturn_credentials.errors import ConflictError
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_shared.fleet.last_used import name_of_secret
from tests.conformance.store.rotations.scene import DAY, Scene, target


async def test_the_new_secret_is_shown_from_when_every_node_accepts_it_until_the_former_one_ends(
    scene: Scene,
) -> None:
    uuid = await scene.create("orders")
    own = scene.own
    itself = Actor(Principal("acme", uuid, "orders", frozenset()))
    before = await own.read(itself, "acme", Kind.SECRET, "former")
    assert (before.rotation, before.secret, before.interval) == (None, None, 300)
    scene.fleet.applies = False
    started = (await scene.operations.rotations.start(target(uuid), Reason.MANUAL)).rotation
    waiting = await own.read(itself, "acme", Kind.SECRET, "former")
    assert (waiting.rotation, waiting.secret, waiting.interval) == (started, None, 1)
    assert waiting.waits_for is WaitsFor.NODES
    scene.fleet.applies = True
    shown = await own.read(itself, "acme", Kind.SECRET, "former")
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert shown.secret == current.secret
    with pytest.raises(ConflictError):
        await own.confirm(itself, "acme", started.id, "former")
    for _ in range(2):
        confirmed = (await own.confirm(itself, "acme", started.id, name_of_secret(current.digest))).rotation
        assert confirmed is not None
        assert confirmed.delivered
    assert (await own.read(itself, "acme", Kind.SECRET, "former")).secret == current.secret, (
        "to another instance"
    )
    assert (await own.read(itself, "acme", Kind.SECRET, name_of_secret(current.digest))).secret is None
    await scene.run()
    assert await scene.state(uuid) is State.DELIVERED
    await scene.use_current(uuid)
    await scene.run()
    assert await scene.state(uuid) is State.IN_USE
    assert (await own.read(itself, "acme", Kind.SECRET, "former")).secret == current.secret
    await scene.run(days=3)
    assert await scene.state(uuid) is State.DONE
    assert (await own.read(itself, "acme", Kind.SECRET, "former")).rotation is None


async def test_a_client_asks_again_when_its_policy_begins(scene: Scene) -> None:
    uuid = await scene.create("orders")
    own = scene.own
    itself = Actor(Principal("acme", uuid, "orders", frozenset()))
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert current.expires_at is not None
    begins = current.expires_at - 3 * DAY
    for left, interval in ((200.0, 200), (5.0, 10)):
        scene.clock.time = begins - left
        assert (await own.read(itself, "acme", Kind.SECRET, "former")).interval == interval


async def test_other_instances_have_time_to_take_it_although_the_policy_has_no_overlap(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes={"keyturn.secret.rotated-expiration-period": "0"})
    own = scene.own
    itself = Actor(Principal("acme", uuid, "orders", frozenset()))
    await scene.operations.rotations.start(target(uuid), Reason.MANUAL)
    assert (await own.read(itself, "acme", Kind.SECRET, "former")).secret is not None
    await scene.use_current(uuid)
    scene.clock.time += 2
    await scene.runners[0].advance()
    (rotation,) = await scene.rotations(uuid)
    assert rotation.state is State.IN_USE
    assert rotation.retire_at is not None
    assert rotation.retire_at >= scene.clock.time + 20
    assert (await own.read(itself, "acme", Kind.SECRET, "former")).secret is not None
