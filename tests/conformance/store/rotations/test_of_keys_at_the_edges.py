"""Rotations of keys in the midst of other changes."""

import json

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Reason, State
from keyturn_credentials.errors import ConflictError
from keyturn_credentials.operations.key_rotations import KeyRotationOperations
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.jose.key_set import KeySet
from tests.conformance.store.conftest import ACTOR
from tests.conformance.store.rotations.key_clients import (
    PERIOD,
    itself,
    key_client,
    key_set,
    new_jwk,
    newest,
    registered,
    states,
    thumbprint,
)
from tests.conformance.store.rotations.scene import DAY, POLICY, Scene, target
from tests.testkit.certificates import make_authority

_CERTIFICATE = "jwt.credential.certificate"


async def certificate_client(scene: Scene, **attributes: str) -> str:
    pem = make_authority().pem.decode()
    return await scene.create(
        "orders", clientAuthenticatorType="client-jwt", attributes={_CERTIFICATE: pem, **attributes}
    )


async def known_to_nodes(scene: Scene, uuid: str) -> KeySet:
    """Return the key set that nodes get."""
    return KeySet.from_members(dict(keys_of(await scene.client(uuid)).jwks or {}))


async def test_the_key_of_a_certificate_keeps_the_names_that_its_client_signs_under(scene: Scene) -> None:
    uuid = await certificate_client(scene)
    (former,) = (await known_to_nodes(scene, uuid)).keys
    names = [former.kid, *former.other_kids]
    assert len(names) == 2, "Keycloak's adapters send the other one"
    await scene.keys.start(target(uuid), Reason.MANUAL, new_jwk())
    known = await known_to_nodes(scene, uuid)
    assert [known.has_kid(name) for name in names] == [True, True]


async def test_a_next_key_without_a_name_has_the_names_that_a_certificate_would_have(scene: Scene) -> None:
    uuid = await key_client(scene, new_jwk())
    jwk = {name: value for name, value in new_jwk().items() if name != "kid"}
    await scene.keys.start(target(uuid), Reason.MANUAL, jwk)
    (_, added) = (await known_to_nodes(scene, uuid)).keys
    assert len(added.other_kids) == 1


async def test_a_policy_of_the_realm_that_does_not_fit_a_clients_own_stops_nothing(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes={"keyturn.key.overlap": str(2 * DAY)})
    by_key = await scene.create(
        "billing",
        clientAuthenticatorType="client-jwt",
        attributes=key_set(new_jwk()) | {"keyturn.key.overlap": str(2 * DAY)},
    )
    await scene.operations.realms.update(
        RealmTarget(ACTOR, "acme"), {"attributes": POLICY | {"keyturn.key.rotation-period": str(DAY)}}
    )
    await scene.run(days=28.5)
    assert await scene.state(uuid) is State.PREPARED, "the secret would expire"
    assert await scene.state(by_key) is State.PLANNED


async def test_a_pause_in_the_overlap_begins_it_anew(scene: Scene) -> None:
    old, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, old, **PERIOD)
    started = await scene.keys.start(target(uuid), Reason.MANUAL, new)
    scene.fleet.use_key(uuid, thumbprint(new), scene.clock.time)
    await scene.run()
    assert await scene.state(uuid) is State.IN_USE
    await scene.operations.rotations.pause(ACTOR, "acme", started.rotation.id)
    await scene.run(days=5)
    await scene.operations.rotations.resume(ACTOR, "acme", started.rotation.id)
    await scene.run()
    await scene.run(days=1)
    assert await registered(scene, uuid) == {thumbprint(old), thumbprint(new)}
    await scene.run(days=1.1)
    assert await registered(scene, uuid) == {thumbprint(new)}


async def test_a_cancelled_rotation_makes_no_former_key_younger(scene: Scene) -> None:
    uuid = await key_client(scene, new_jwk(), **PERIOD)
    since = (await scene.client(uuid)).keys_since
    await scene.run(days=91)
    planned = await newest(scene, uuid)
    await scene.operations.rotations.cancel(ACTOR, "acme", planned.id)
    await scene.run(days=3)
    started = await newest(scene, uuid)
    assert started.state is State.PLANNED
    await scene.own.register(itself(uuid).actor, "acme", new_jwk(), "key:x")
    await scene.operations.rotations.cancel(ACTOR, "acme", started.id)
    assert (await scene.client(uuid)).keys_since == since
    await scene.run(days=3)
    assert await scene.state(uuid) is State.PLANNED


async def test_a_certificate_comes_back_from_a_rotation_that_a_policy_began(scene: Scene) -> None:
    uuid = await certificate_client(scene, **PERIOD)
    await scene.run(days=91)
    await scene.own.register(itself(uuid).actor, "acme", new_jwk(), "key:x")
    await scene.operations.rotations.cancel(ACTOR, "acme", (await newest(scene, uuid)).id)
    client = await scene.client(uuid)
    assert _CERTIFICATE in client.attributes
    assert "jwks.string" not in client.attributes


async def test_a_large_set_does_not_grow_when_a_key_is_removed(scene: Scene) -> None:
    old, new = new_jwk(), new_jwk()
    document = json.dumps({"keys": [old], "note": "é" * 50_000}, ensure_ascii=False)
    uuid = await scene.create(
        "orders",
        clientAuthenticatorType="client-jwt",
        attributes={"use.jwks.string": "true", "jwks.string": document},
    )
    await scene.keys.start(target(uuid), Reason.MANUAL, new)
    assert await registered(scene, uuid) == {thumbprint(old), thumbprint(new)}


async def test_keys_of_a_url_that_the_client_has_left_meanwhile_are_not_taken_for_its_own(
    scene: Scene,
) -> None:
    uuid = await key_client(scene, None)
    of_former_url = thumbprint(new_jwk())

    async def fetched(realm: Realm, client: Client) -> frozenset[str]:
        moved = {"attributes": {"use.jwks.url": "true", "jwks.url": "https://orders.example/moved"}}
        await scene.operations.clients.update(target(uuid), moved)
        return frozenset({of_former_url})

    keys = KeyRotationOperations(scene.store, scene.operations.rotation_changes, fetched, scene.fleet)
    with pytest.raises(ConflictError, match="thumbprint"):
        await keys.start(target(uuid), Reason.COMPROMISED)
    assert (await scene.client(uuid)).revoked_keys == {}


async def test_keys_that_were_replaced_before_the_next_one_was_registered_are_former_ones(
    scene: Scene,
) -> None:
    replaced, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, new_jwk(), **PERIOD)
    await scene.keys.start(target(uuid), Reason.MANUAL)
    await scene.operations.clients.update(target(uuid), {"attributes": PERIOD | key_set(replaced)})
    await scene.own.register(itself(uuid).actor, "acme", new, "key:x")
    await scene.run()
    assert await scene.state(uuid) is State.PREPARED
    scene.fleet.use_key(uuid, thumbprint(new), scene.clock.time)
    await scene.run()
    await scene.run(days=3)
    assert states(await newest(scene, uuid))[-1] is State.DONE
    assert await registered(scene, uuid) == {thumbprint(new)}


async def test_rules_that_become_stricter_or_milder_hold_for_a_rotation_under_way(scene: Scene) -> None:
    old, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, old, **PERIOD)
    await scene.keys.start(target(uuid), Reason.MANUAL, new)
    for strict in ("true", "false", "true"):
        rules = {"attributes": POLICY | {"keyturn.rotation.retire-unused": strict}}
        await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), rules)
        await scene.run()
        assert ((await newest(scene, uuid)).retire_at is not None) is (strict == "true")
    await scene.run(days=1)
    assert await scene.state(uuid) is State.PREPARED
    await scene.run(days=1.1)
    assert await registered(scene, uuid) == {thumbprint(new)}


async def test_the_same_keys_in_another_text_are_as_old_as_before(scene: Scene) -> None:
    jwk = new_jwk()
    uuid = await key_client(scene, jwk, **PERIOD)
    since = (await scene.client(uuid)).keys_since
    scene.clock.time += DAY
    text = json.dumps({"keys": [jwk]}, indent=2)
    attributes = PERIOD | {"use.jwks.string": "true", "jwks.string": text}
    await scene.operations.clients.update(target(uuid), {"attributes": attributes})
    assert (await scene.client(uuid)).keys_since == since
    await scene.operations.clients.update(target(uuid), {"attributes": PERIOD | key_set(new_jwk())})
    assert (await scene.client(uuid)).keys_since == scene.clock.time


async def test_a_next_key_that_nodes_have_seen_in_use_is_not_replaced_any_more(scene: Scene) -> None:
    used = new_jwk()
    uuid = await key_client(scene, new_jwk())
    await scene.own.register(itself(uuid).actor, "acme", used, "key:x")
    scene.fleet.use_key(uuid, thumbprint(used), scene.clock.time)
    with pytest.raises(ConflictError):
        await scene.own.register(itself(uuid).actor, "acme", new_jwk(), "key:x")
    assert thumbprint(used) in await registered(scene, uuid)


async def test_only_the_key_of_the_instance_that_rotates_ends(scene: Scene) -> None:
    """Two instances have keys of their own in one set."""
    one, other, new = new_jwk(), new_jwk(), new_jwk()
    uuid = await scene.create("orders", clientAuthenticatorType="client-jwt", attributes=key_set(one, other))
    await scene.own.register(itself(uuid).actor, "acme", new, name_of_key(thumbprint(one)))
    scene.fleet.use_key(uuid, thumbprint(new), scene.clock.time)
    await scene.run()
    await scene.run(days=3)
    assert await scene.state(uuid) is State.DONE
    assert await registered(scene, uuid) == {thumbprint(other), thumbprint(new)}


async def test_a_client_that_does_not_answer_keeps_no_other_one_from_its_turn(scene: Scene) -> None:
    limit = {"keyturn.rotation.max-at-once": "1"}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": POLICY | PERIOD | limit})
    silent = [
        await scene.create(name, clientAuthenticatorType="client-jwt", attributes=key_set(new_jwk()))
        for name in ("first", "second")
    ]
    await scene.run(days=91)
    with_secret = await scene.create("billing")
    assert sorted([(await newest(scene, uuid)).deadline is not None for uuid in silent]) == [False, True]
    await scene.run(days=3)
    await scene.run()
    for uuid in silent:
        assert (await newest(scene, uuid)).deadline is not None, "the other one has not answered in time"
    await scene.run(days=26)
    assert await scene.state(with_secret) is State.PREPARED, "secrets have turns of their own"


async def test_the_plan_knows_the_oldest_keys_without_those_under_way(scene: Scene) -> None:
    uuids = []
    for number, attributes in enumerate((PERIOD, {}, {})):
        representation = key_set(new_jwk()) | attributes
        uuids.append(
            await scene.create(
                f"orders-{number}", clientAuthenticatorType="client-jwt", attributes=representation
            )
        )
        scene.clock.time += 60.0
    await scene.create("billing")
    realm_id = (await scene.client(uuids[0])).realm_id
    async with scene.store.find() as reading:
        assert await reading.due_rotations.oldest_keys(realm_id, most=10) == uuids
        assert await reading.due_rotations.oldest_keys(realm_id, most=1) == uuids[:2]
    begun = await scene.keys.start(target(uuids[1]), Reason.MANUAL)
    async with scene.store.find() as reading:
        assert await reading.due_rotations.oldest_keys(realm_id, most=10) == [uuids[0], uuids[2]]
    await scene.operations.rotations.cancel(ACTOR, "acme", begun.rotation.id)
    async with scene.store.find() as reading:
        assert await reading.due_rotations.oldest_keys(realm_id, most=10) == uuids
