"""Rotations whose client takes the new secret itself."""

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Kind, Reason, State
from keyturn_credentials.operations.own_rotations import OwnRotationOperations
from keyturn_credentials.store.unit_of_work import Actor
from tests.conformance.store.rotations.scene import DAY, Scene, target


async def test_the_new_secret_is_shown_from_when_every_node_accepts_it_until_the_former_one_ends(
    scene: Scene,
) -> None:
    uuid = await scene.create("orders")
    own = OwnRotationOperations(scene.store, scene.operations.rotations, scene.clock, scene.fleet.has_applied)
    itself = Actor(Principal("acme", uuid, "orders", frozenset()))
    before = await own.read(itself, "acme")
    assert (before.rotation, before.secret, before.interval) == (None, None, 300)
    scene.fleet.applies = False
    started = (await scene.operations.rotations.start(target(uuid), Kind.SECRET, Reason.MANUAL)).rotation
    waiting = await own.read(itself, "acme")
    assert (waiting.rotation, waiting.secret, waiting.interval) == (started, None, 1)
    scene.fleet.applies = True
    shown = await own.read(itself, "acme")
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert shown.secret == current.secret
    for _ in range(2):
        assert (await own.confirm(itself, "acme", started.id)).delivered
    assert (await own.read(itself, "acme")).secret == current.secret, "to another instance"
    assert (await own.read(itself, "acme", current.secret.__eq__)).secret is None
    await scene.run()
    assert await scene.state(uuid) is State.DELIVERED
    await scene.use_current(uuid)
    await scene.run()
    assert await scene.state(uuid) is State.IN_USE
    assert (await own.read(itself, "acme")).secret == current.secret
    await scene.run(days=3)
    assert await scene.state(uuid) is State.DONE
    assert (await own.read(itself, "acme")).rotation is None


async def test_a_client_asks_again_when_its_policy_begins(scene: Scene) -> None:
    uuid = await scene.create("orders")
    own = OwnRotationOperations(scene.store, scene.operations.rotations, scene.clock, scene.fleet.has_applied)
    itself = Actor(Principal("acme", uuid, "orders", frozenset()))
    current = (await scene.client(uuid)).secrets.current
    assert current is not None
    assert current.expires_at is not None
    begins = current.expires_at - 3 * DAY
    for left, interval in ((200.0, 200), (10.0, 60)):
        scene.clock.time = begins - left
        assert (await own.read(itself, "acme")).interval == interval
