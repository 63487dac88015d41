"""Rotations of clients' keys: registered ones, and those behind a URL."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from keyturn_credentials.domain.rotation import Alert, Kind, Reason, State, WaitsFor
from keyturn_credentials.domain.rotation_failure import FailureCode
from keyturn_credentials.errors import ConflictError, ForbiddenError, InvalidRequestError
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_shared.events import ClientKeysChanged, decode_event
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.jose.signing import SigningKey
from tests.conformance.store.conftest import ACTOR, Instance
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
from tests.conformance.store.rotations.scene import Scene, target
from tests.testkit.certificates import make_authority


async def test_a_policy_asks_for_the_next_key_and_the_client_rotates_it_alone(scene: Scene) -> None:
    old, new = new_jwk(), new_jwk()
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": PERIOD})
    uuid = await key_client(scene, old)
    await scene.run(days=89)
    assert await scene.rotations(uuid) == []
    await scene.run(days=1)
    shown = await scene.own.read(itself(uuid).actor, "acme", Kind.KEY, name_of_key(thumbprint(old)))
    assert (shown.waits_for, await scene.state(uuid)) == (WaitsFor.SUCCESSOR, State.PLANNED)
    for _ in range(2):  # the response to the first one may be lost
        await scene.own.register(itself(uuid).actor, "acme", new, name_of_key(thumbprint(old)))
    assert await registered(scene, uuid) == {thumbprint(old), thumbprint(new)}
    await scene.run(days=10)
    assert (await newest(scene, uuid)).alert is Alert.UNUSED
    assert await registered(scene, uuid) == {thumbprint(old), thumbprint(new)}, "it was not seen in use"
    scene.fleet.use_key(uuid, thumbprint(new), scene.clock.time)
    await scene.run()
    assert await scene.state(uuid) is State.IN_USE
    await scene.run(days=1)
    assert await registered(scene, uuid) == {thumbprint(old), thumbprint(new)}
    await scene.run(days=1.1)
    done = await newest(scene, uuid)
    assert states(done) == [State.PLANNED, State.PREPARED, State.IN_USE, State.RETIRED, State.DONE]
    assert done.alert is None
    assert await registered(scene, uuid) == {thumbprint(new)}
    assert (await scene.client(uuid)).keys_since == done.state_since
    await scene.run(days=80)
    assert len(await scene.rotations(uuid)) == 1
    await scene.run(days=10)
    assert len(await scene.rotations(uuid)) == 2


async def test_each_move_has_its_event(scene: Scene, instance: Instance) -> None:
    old, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, old, **PERIOD)
    begun = await instance.log.head()
    await scene.keys.start(target(uuid), Reason.MANUAL, new)
    scene.fleet.use_key(uuid, thumbprint(new), scene.clock.time)
    await scene.run(days=1)
    await scene.run(days=3)
    events = [decode_event(logged.payload) for logged in await instance.log.read(begun + 1, 10)]
    assert [type(event) for event in events] == [ClientKeysChanged, ClientKeysChanged]
    sequences = [move.sequence for move in (await newest(scene, uuid)).history]
    assert sequences == [None, events[0].sequence, None, events[1].sequence, None]


async def test_it_is_done_only_when_every_node_refuses_the_former_key(scene: Scene) -> None:
    old, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, old, **PERIOD)
    await scene.keys.start(target(uuid), Reason.MANUAL, new)
    scene.fleet.use_key(uuid, thumbprint(new), scene.clock.time)
    await scene.run()
    scene.fleet.applies = False
    await scene.run(days=3)
    assert await scene.state(uuid) is State.RETIRED
    scene.fleet.applies = True
    await scene.run()
    assert await scene.state(uuid) is State.DONE


async def test_a_lost_next_key_is_replaced_until_it_is_used(scene: Scene) -> None:
    old, lost, new = new_jwk(), new_jwk(), new_jwk()
    uuid = await key_client(scene, old)
    actor, by_old = itself(uuid).actor, name_of_key(thumbprint(old))
    await scene.own.register(actor, "acme", lost, by_old)
    await scene.own.register(actor, "acme", new, by_old)
    assert await registered(scene, uuid) == {thumbprint(old), thumbprint(new)}
    with pytest.raises(ConflictError):
        await scene.own.register(actor, "acme", new_jwk(), name_of_key(thumbprint(new)))
    scene.fleet.use_key(uuid, thumbprint(new), scene.clock.time)
    await scene.run()
    with pytest.raises(ConflictError):
        await scene.own.register(actor, "acme", new_jwk(), by_old)
    assert len(await scene.rotations(uuid)) == 1
    assert (await newest(scene, uuid)).reason is Reason.CLIENT


async def test_cancelled_only_the_former_key_is_registered_again(scene: Scene) -> None:
    old, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, old)
    started = await scene.keys.start(target(uuid), Reason.MANUAL, new)
    before = (await scene.client(uuid)).attributes
    assert json.loads(before["jwks.string"])["keys"][0] == old, "what others have stored stays as it was"
    moved = await scene.operations.rotations.cancel(ACTOR, "acme", started.rotation.id)
    assert (moved.rotation.state, moved.sequence is not None) == (State.ROLLED_BACK, True)
    assert await registered(scene, uuid) == {thumbprint(old)}


async def test_a_certificate_becomes_a_set_of_two_keys_and_comes_back(scene: Scene) -> None:
    certificate_attributes = {"jwt.credential.certificate": make_authority().pem.decode()}
    uuid = await scene.create(
        "orders", clientAuthenticatorType="client-jwt", attributes=certificate_attributes
    )
    (former,) = await registered(scene, uuid)
    new = new_jwk()
    started = await scene.keys.start(target(uuid), Reason.MANUAL, new)
    assert await registered(scene, uuid) == {former, thumbprint(new)}
    await scene.operations.rotations.cancel(ACTOR, "acme", started.rotation.id)
    client = await scene.client(uuid)
    assert {name: client.attributes.get(name) for name in certificate_attributes} == certificate_attributes
    assert "jwks.string" not in client.attributes


async def test_compromised_the_former_key_is_refused_with_the_call(scene: Scene, instance: Instance) -> None:
    old, new = new_jwk(), new_jwk()
    uuid = await key_client(scene, old)
    await scene.keys.start(target(uuid), Reason.MANUAL, new_jwk())
    with pytest.raises(InvalidRequestError, match="jwk"):
        await scene.keys.start(target(uuid), Reason.COMPROMISED)
    known = await registered(scene, uuid)
    moved = await scene.keys.start(target(uuid), Reason.COMPROMISED, new)
    client = await scene.client(uuid)
    assert await registered(scene, uuid) == {thumbprint(new)}
    assert client.revoked_keys.keys() == known
    assert moved.rotation.state is State.RETIRED
    assert moved.sequence == await instance.log.head()
    logged = await instance.log.read(moved.sequence - 2, 3)
    events = [decode_event(each.payload).__class__.__name__ for each in logged]
    assert events == ["ClientKeyRevoked", "ClientKeyRevoked", "ClientKeysChanged"]
    assert State.SUPERSEDED in [each.state for each in await scene.rotations(uuid)]
    await scene.run()
    assert State.DONE in [each.state for each in await scene.rotations(uuid)]


async def test_a_published_key_is_followed_from_one_set_to_the_next(scene: Scene) -> None:
    uuid = await key_client(scene, None, **PERIOD)
    await scene.run(days=91)
    assert (await newest(scene, uuid)).keys.former is None, "no node has fetched its set"  # type: ignore[union-attr]
    scene.fleet.at_url = frozenset({"old"})
    await scene.run()
    assert await scene.state(uuid) is State.PLANNED
    scene.fleet.at_url = frozenset({"old", "new"})
    await scene.run(days=0.1)
    assert await scene.state(uuid) is State.PREPARED
    scene.fleet.use_key(uuid, "new", scene.clock.time)
    await scene.run(days=0.1)
    assert await scene.state(uuid) is State.IN_USE
    await scene.run(days=3)
    assert (await newest(scene, uuid)).alert is Alert.PUBLISHED
    assert await scene.state(uuid) is State.IN_USE
    scene.fleet.at_url = frozenset({"new"})
    await scene.run(days=0.5)
    done = await newest(scene, uuid)
    assert (done.state, done.alert) == (State.DONE, None)
    assert [move.sequence for move in done.history] == [None] * 5
    assert (await scene.client(uuid)).revoked_keys == {}


async def test_a_policy_revokes_the_former_key_that_a_client_still_publishes(scene: Scene) -> None:
    uuid = await key_client(scene, None, **PERIOD, **{"keyturn.key.revoke-former": "true"})
    scene.fleet.at_url = frozenset({_OLD})
    await scene.keys.start(target(uuid), Reason.MANUAL)
    scene.fleet.at_url = frozenset({_OLD, _NEW})
    await scene.run()
    scene.fleet.use_key(uuid, _NEW, scene.clock.time)
    await scene.run()
    await scene.run(days=3)
    assert await scene.state(uuid) is State.DONE
    assert (await scene.client(uuid)).revoked_keys.keys() == {_OLD}


async def test_compromised_every_published_key_is_revoked(scene: Scene) -> None:
    uuid = await key_client(scene, None)
    with pytest.raises(ConflictError, match="thumbprint"):
        await scene.keys.start(target(uuid), Reason.COMPROMISED)
    scene.fleet.at_url = frozenset({_OLD, _NEW})
    moved = await scene.keys.start(target(uuid), Reason.COMPROMISED)
    assert moved.rotation.state is State.RETIRED
    assert (await scene.client(uuid)).revoked_keys.keys() == {_OLD, _NEW}


_OLD, _NEW = (thumbprint(new_jwk()) for _ in range(2))

Refused = Callable[[Scene, str], Any]
_PRIVATE = new_jwk() | {"d": "AAAA"}


@pytest.mark.parametrize(
    "jwk",
    [None, "text", {}, _PRIVATE, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}],
)
async def test_what_is_no_public_key_is_refused_and_changes_nothing(scene: Scene, jwk: object) -> None:
    old = new_jwk()
    uuid = await key_client(scene, old)
    before = await scene.client(uuid)
    with pytest.raises(InvalidRequestError):
        await scene.own.register(itself(uuid).actor, "acme", jwk, name_of_key(thumbprint(old)))
    assert await scene.client(uuid) == before
    assert await scene.rotations(uuid) == []


async def test_the_next_key_must_be_another_one_that_fits(scene: Scene) -> None:
    old = new_jwk()
    uuid = await key_client(scene, old, **{"token.endpoint.auth.signing.alg": "ES256"})
    for jwk in (old, new_jwk() | {"kid": old["kid"]}, SigningKey.generate("RS256").public_jwk):
        with pytest.raises(InvalidRequestError):
            await scene.keys.start(target(uuid), Reason.MANUAL, jwk)
    revoked = new_jwk()
    await scene.operations.keys.revoke(target(uuid), thumbprint(revoked))
    with pytest.raises(InvalidRequestError, match="revoked"):
        await scene.keys.start(target(uuid), Reason.MANUAL, revoked)


async def test_only_clients_with_keys_of_their_own_rotate_them(scene: Scene) -> None:
    with_secret, at_url = await scene.create("billing"), await key_client(scene, None)
    with pytest.raises(InvalidRequestError):
        await scene.keys.start(target(with_secret), Reason.MANUAL)
    with pytest.raises(InvalidRequestError):
        await scene.keys.start(target(at_url), Reason.MANUAL, new_jwk())
    with pytest.raises(ConflictError):
        await scene.own.register(itself(at_url).actor, "acme", new_jwk(), "key:x")


async def test_the_policy_can_forbid_it(scene: Scene) -> None:
    old = new_jwk()
    uuid = await key_client(scene, old, **{"keyturn.rotation.self-service": "false"})
    with pytest.raises(ForbiddenError):
        await scene.own.register(itself(uuid).actor, "acme", new_jwk(), name_of_key(thumbprint(old)))


async def test_a_rotation_ends_with_the_authenticator_that_it_is_for(scene: Scene) -> None:
    uuid = await key_client(scene, new_jwk())
    await scene.keys.start(target(uuid), Reason.MANUAL)
    await scene.operations.clients.update(target(uuid), {"clientAuthenticatorType": "client-secret"})
    await scene.run()
    failed = await newest(scene, uuid)
    assert failed.state is State.FAILED
    assert failed.failure is not None
    assert failed.failure.code is FailureCode.CREDENTIAL_NOT_USED
    assert (await scene.client(uuid)).keys_since is None


async def test_a_secret_and_a_key_of_one_client_may_be_rotated_at_once(scene: Scene) -> None:
    uuid = await key_client(scene, new_jwk())
    await scene.keys.start(target(uuid), Reason.MANUAL)
    with pytest.raises(ConflictError):
        await scene.keys.start(target(uuid), Reason.MANUAL)
    await scene.operations.clients.update(target(uuid), {"clientAuthenticatorType": "client-secret"})
    await scene.operations.secrets.regenerate(target(uuid))
    await scene.operations.rotations.start(target(uuid), Reason.MANUAL)
    assert {each.kind for each in await scene.rotations(uuid)} == {Kind.KEY, Kind.SECRET}


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"keyturn.key.rotation-period": "9"}, "rotation-period"),
        ({"keyturn.key.rotation-period": "100", "keyturn.key.overlap": "101"}, "overlap"),
        ({"keyturn.key.overlap": "a day"}, "overlap"),
        ({"keyturn.key.revoke-former": "yes"}, "revoke-former"),
    ],
)
async def test_a_policy_is_checked_when_it_is_set(
    scene: Scene, attributes: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        await scene.create("orders", attributes=attributes)
    with pytest.raises(InvalidRequestError, match=message):
        await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": attributes})


async def test_a_limit_of_the_realm_counts_those_who_were_asked(scene: Scene) -> None:
    await scene.operations.realms.update(
        RealmTarget(ACTOR, "acme"), {"attributes": PERIOD | {"keyturn.rotation.max-at-once": "1"}}
    )
    uuids = []
    for number in range(2):
        attributes = key_set(new_jwk())
        uuids.append(
            await scene.create(
                f"orders-{number}", clientAuthenticatorType="client-jwt", attributes=attributes
            )
        )
    await scene.run(days=91)
    asked = [(await newest(scene, uuid)).deadline is not None for uuid in uuids]
    assert sorted(asked) == [False, True]
