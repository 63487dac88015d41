"""Rotations that cannot go on end as failed, say why, and leave the client what it uses."""

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Kind, Reason, Rotation, State
from keyturn_credentials.domain.rotation_failure import MAX_FAILED_STEPS, FailureCode
from keyturn_credentials.errors import ConflictError, InvalidRequestError
from keyturn_credentials.operations import rotation_runner, rotation_scene
from keyturn_credentials.operations.rotation_loop import RotationLoop
from keyturn_credentials.store.audit_tables import audit
from keyturn_shared.events import ClientRotationFailed, decode_event
from keyturn_shared.fleet.last_used import name_of_key
from tests.conformance.store.conftest import ACTOR, Instance
from tests.conformance.store.rotations.key_clients import (
    itself,
    key_client,
    new_jwk,
    newest,
    registered,
    thumbprint,
)
from tests.conformance.store.rotations.scene import DAY, Scene, target

WEEK = {"keyturn.rotation.disabled-limit": str(7 * DAY)}


def code_of(rotation: Rotation) -> FailureCode | None:
    return None if rotation.failure is None else rotation.failure.code


async def disable(scene: Scene, uuid: str, *, enabled: bool = False) -> None:
    await scene.operations.clients.update(target(uuid), {"enabled": enabled})


async def test_a_rotation_of_a_client_that_stays_disabled_fails_and_another_one_may_begin(
    scene: Scene, instance: Instance
) -> None:
    uuid = await scene.create("orders", attributes=WEEK)
    former = (await scene.client(uuid)).secrets.current
    await scene.run(days=28)
    assert await scene.state(uuid) is State.PREPARED
    await disable(scene, uuid)
    await scene.run()
    await scene.run(days=6.9)
    assert await scene.state(uuid) is State.PREPARED
    await scene.run(days=0.2)
    failed = await newest(scene, uuid)
    assert (failed.state, code_of(failed)) == (State.FAILED, FailureCode.CLIENT_DISABLED)
    secrets = (await scene.client(uuid)).secrets
    assert former is not None
    assert secrets.current is not None
    assert (secrets.current.digest, secrets.rotated) == (former.digest, None)
    assert secrets.current.is_valid(scene.clock.time + DAY)
    assert failed.sequence is not None
    (logged,) = await instance.log.read(failed.sequence, 1)
    event = decode_event(logged.payload)
    assert isinstance(event, ClientRotationFailed)
    assert (event.rotation, event.kind, event.reason) == (failed.id, "secret", "client_disabled")
    async with scene.store.find() as reading:
        rows = await reading.connection.execute(
            select(audit.c.details).where(audit.c.sequence == failed.sequence)
        )
        (details,) = rows.scalars()
    assert (details["state"], details["failure"]) == ("failed", "client_disabled")
    with pytest.raises(ConflictError, match="failed"):
        await scene.operations.rotations.cancel(ACTOR, "acme", failed.id)
    await disable(scene, uuid, enabled=True)
    await scene.operations.rotations.start(target(uuid), Reason.MANUAL)
    await scene.use_current(uuid)
    await scene.run()
    await scene.run(days=3)
    assert await scene.state(uuid) is State.DONE


async def test_a_client_that_is_enabled_in_time_goes_on(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes=WEEK)
    await scene.run(days=28)
    for _ in range(3):
        await disable(scene, uuid)
        await scene.run(days=3)
        await scene.run(days=3)
        await disable(scene, uuid, enabled=True)
        await scene.run()
    assert await scene.state(uuid) is State.PREPARED
    assert (await newest(scene, uuid)).disabled_since is None


async def test_a_secret_that_a_disabled_client_has_taken_stays_beside_the_former_one(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes=WEEK)
    await scene.run(days=28)
    shown = await scene.own.read(itself(uuid).actor, "acme", Kind.SECRET, "former")
    assert shown.secret is not None
    await disable(scene, uuid)
    await scene.run()
    await scene.run(days=30)
    assert await scene.state(uuid) is State.PREPARED
    secrets = (await scene.client(uuid)).secrets
    for stored in (secrets.current, secrets.rotated):
        assert stored is not None
        assert stored.is_valid(scene.clock.time)


async def test_no_policy_rotates_a_secret_that_its_client_does_not_use(scene: Scene) -> None:
    uuid = await scene.create("orders")
    await scene.run(days=28)
    by_certificate = {"x509.subjectdn": "CN=orders"}
    await scene.operations.clients.update(
        target(uuid), {"clientAuthenticatorType": "client-x509", "attributes": by_certificate}
    )
    await scene.run()
    failed = await newest(scene, uuid)
    assert (failed.state, code_of(failed)) == (State.FAILED, FailureCode.CREDENTIAL_NOT_USED)
    await scene.run(days=60)
    assert len(await scene.rotations(uuid)) == 1


async def test_a_next_key_that_is_revoked_fails_its_rotation(scene: Scene) -> None:
    old, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, old)
    await scene.own.register(itself(uuid).actor, "acme", new, name_of_key(thumbprint(old)))
    await scene.operations.keys.revoke(target(uuid), thumbprint(new))
    await scene.run()
    failed = await newest(scene, uuid)
    assert (failed.state, code_of(failed)) == (State.FAILED, FailureCode.SUCCESSOR_REVOKED)
    assert await registered(scene, uuid) == {thumbprint(old)}
    await scene.own.register(itself(uuid).actor, "acme", new_jwk(), name_of_key(thumbprint(old)))
    assert await scene.state(uuid) is State.PREPARED


async def test_a_client_that_publishes_no_usable_key_by_the_deadline_has_a_failed_rotation(
    scene: Scene,
) -> None:
    uuid = await key_client(scene, None)
    scene.fleet.at_url = frozenset()
    await scene.keys.start(target(uuid), Reason.MANUAL)
    await scene.run()
    assert await scene.state(uuid) is State.PLANNED
    await scene.run(days=1)
    assert code_of(await newest(scene, uuid)) is FailureCode.NO_USABLE_KEY


async def test_a_step_that_cannot_be_taken_again_and_again_fails_the_rotation(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(realm: Realm, client: Client) -> rotation_scene.Scene:
        if client.client_id == "orders":
            raise InvalidRequestError("an earlier build stored this")
        return rotation_scene.scene_of(realm, client)

    uuid, other = await scene.create("orders"), await scene.create("billing")
    for each in (uuid, other):
        await scene.operations.rotations.start(target(each), Reason.MANUAL)
    monkeypatch.setattr(rotation_runner, "scene_of", read)
    metrics = CollectorRegistry()
    loop = RotationLoop(scene.runners[0], metrics, elapsed=scene.clock.elapsed)
    for count in range(1, MAX_FAILED_STEPS + 1):
        assert (await newest(scene, uuid)).failed_steps == count - 1
        scene.clock.time += 61.0
        await loop.round()
    failed = await newest(scene, uuid)
    assert failed.failure is not None
    assert failed.failure.code is FailureCode.STEP_FAILED
    assert failed.failure.detail.endswith("an earlier build stored this")
    assert metrics.get_sample_value("keyturn_rotations_failed_total", {"reason": "step_failed"}) == 1.0
    assert await scene.state(other) is State.PREPARED
