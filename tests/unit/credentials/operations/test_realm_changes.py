"""The template of every change of a realm."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
)
from keyturn_credentials.operations.changes import Change, Done
from keyturn_credentials.operations.recording import record_projections
from keyturn_credentials.store.former_ids import has_used
from keyturn_shared.events import RealmCreated, RealmDeleted, RealmKeysCacheCleared, RealmUpdated
from keyturn_shared.projection import ClientProjection
from tests.unit.credentials.operations.scene import (
    ACTOR,
    CLIENT_FIELD,
    REALM,
    REALM_FIELD,
    Asked,
    Scene,
    realm_target,
    signing_key,
)


def disabled(realm: Realm, keys: list[RealmKey], now: float) -> Change[Realm, str]:
    return Change(
        after=replace(realm, enabled=False), event=RealmUpdated, value="done", details={"why": "a test"}
    )


def renamed(name: str, realm: Realm) -> Change[Realm, None]:
    return Change(after=replace(realm, name=name), event=RealmUpdated, value=None)


async def unchanged(scene: Scene) -> bool:
    return await scene.realm() == REALM and await scene.log() == [] and scene.committed == []


async def test_a_change_is_stored_projected_logged_and_audited_as_one_event(scene: Scene) -> None:
    permission = Asked()
    assert await scene.changes.change_realm(realm_target(), permission, disabled) == Done(3, "done")
    assert permission.about == [(ACTOR.principal, "acme", [])]
    assert await scene.realm() == replace(REALM, enabled=False, version=2)
    (event,) = await scene.log()
    assert isinstance(event, RealmUpdated)
    assert (event.sequence, event.touches, event.realm_id, event.realm) == (
        3,
        (REALM_FIELD,),
        "realm-id",
        "acme",
    )
    projected = await scene.projected(REALM_FIELD)
    assert projected is not None
    assert projected[0] == 3
    assert b'"enabled":false' in (projected[1] or b"")
    assert b'"first"' in (projected[1] or b""), "its keys are as they were"
    entry = await scene.audited(3)
    assert (entry.realm_id, entry.client_uuid, entry.details) == ("realm-id", None, {"why": "a test"})
    assert scene.committed == [3]


async def test_the_decision_gets_the_realm_with_its_next_version_its_keys_and_the_time(scene: Scene) -> None:
    seen: list[tuple[Realm, list[str], float]] = []

    def note(realm: Realm, keys: list[RealmKey], now: float) -> Change[Realm, None]:
        seen.append((realm, [key.kid for key in keys], now))
        return Change(after=realm, event=RealmUpdated, value=None)

    await scene.changes.change_realm(realm_target(), Asked(), note)
    await scene.changes.change_realm(realm_target(), Asked(), note, is_revision=False)
    second = replace(REALM, version=2)
    assert seen == [(second, ["first"], scene.clock.time)] * 2
    assert await scene.realm() == second


async def test_a_realm_stays_as_it_is_without_permission_seen_version_or_name(scene: Scene) -> None:
    with pytest.raises(ForbiddenError):
        await scene.changes.change_realm(realm_target(), Asked(refuses=1), disabled)
    with pytest.raises(PreconditionFailedError):
        await scene.changes.change_realm(realm_target([2]), Asked(), disabled)
    with pytest.raises(NotFoundError, match=r"^Realm not found"):
        await scene.changes.change_realm(realm_target(realm="elsewhere"), Asked(), disabled)
    assert await unchanged(scene)
    await scene.changes.change_realm(realm_target([1]), Asked(), disabled)


async def test_new_keys_are_stored_and_projected_with_the_change(scene: Scene) -> None:
    def rotate(realm: Realm, keys: list[RealmKey], now: float) -> Change[Realm, None]:
        return Change(
            after=realm, event=RealmUpdated, value=None, keys=[signing_key("second"), signing_key("third")]
        )

    await scene.changes.change_realm(realm_target(), Asked(), rotate)
    assert sorted(await scene.keys()) == ["second", "third"]
    _, body = await scene.projected(REALM_FIELD) or (0, None)
    assert body is not None
    assert b'"second"' in body
    assert b'"third"' in body
    assert b'"first"' not in body


async def test_a_clearing_of_keys_counts_from_its_own_event_on(scene: Scene) -> None:
    def clear(realm: Realm, keys: list[RealmKey], now: float) -> Change[Realm, None]:
        return Change(after=realm, event=RealmKeysCacheCleared, value=None, clears_keys=True)

    done = await scene.changes.change_realm(realm_target(), Asked(), clear, is_revision=False)
    assert await scene.realm() == replace(REALM, keys_not_before=done.sequence)
    assert scene.committed == [done.sequence]


async def test_a_deleted_realm_leaves_nothing_of_its_clients(scene: Scene) -> None:
    def delete(realm: Realm, keys: list[RealmKey], now: float) -> Change[Realm, None]:
        return Change(after=None, event=RealmDeleted, value=None)

    await scene.changes.change_realm(realm_target(), Asked(), delete)
    assert await scene.realm() is None
    assert await scene.client() is None
    assert await scene.projected(REALM_FIELD) == (3, None)
    assert await scene.projected(CLIENT_FIELD) == (3, None)
    (event,) = await scene.log()
    assert (type(event), event.touches, event.realm_id) == (RealmDeleted, (REALM_FIELD,), "realm-id")
    async with scene.store.change(ACTOR) as transaction:
        assert await has_used(transaction.connection, "realm-id")


async def test_a_renamed_realm_is_gone_under_its_former_name(scene: Scene) -> None:
    await scene.changes.change_realm(realm_target(), Asked(), lambda realm, *_: renamed("acme-group", realm))
    assert await scene.projected(REALM_FIELD) == (3, None)
    _, body = await scene.projected("realm:acme-group") or (0, None)
    assert body is not None
    (event,) = await scene.log()
    assert (set(event.touches), event.realm) == ({REALM_FIELD, "realm:acme-group"}, "acme-group")


async def test_no_two_realms_have_names_that_look_alike(scene: Scene) -> None:
    async with scene.store.change(ACTOR) as transaction:
        other = Realm("other-id", "other")
        await scene.changes.create_realm(transaction, ACTOR.principal, Asked(), other, list)
    with pytest.raises(ConflictError):
        await scene.changes.change_realm(realm_target(), Asked(), lambda realm, *_: renamed("0ther", realm))
    with pytest.raises(ConflictError):
        async with scene.store.change(ACTOR) as transaction:
            alike = Realm("alike-id", "Acme")
            await scene.changes.create_realm(transaction, ACTOR.principal, Asked(), alike, list)
    assert await scene.realm() == REALM
    # A name that looks like its own is its own.
    await scene.changes.change_realm(realm_target(), Asked(), lambda realm, *_: renamed("Acme", realm))
    assert await scene.realm("Acme") is not None


async def test_a_realm_is_made_with_its_keys_by_who_may(scene: Scene) -> None:
    fresh = Realm("fresh-id", "fresh")
    made: list[str] = []

    def make_keys() -> list[RealmKey]:
        made.append("keys")
        return [signing_key("of-fresh", "fresh-id")]

    with pytest.raises(ForbiddenError):
        async with scene.store.change(ACTOR) as transaction:
            await scene.changes.create_realm(transaction, ACTOR.principal, Asked(refuses=1), fresh, make_keys)
    assert made == [], "it takes long, so it is done only for those who may"
    permission = Asked()
    async with scene.store.change(ACTOR) as transaction:
        sequence = await scene.changes.create_realm(
            transaction, ACTOR.principal, permission, fresh, make_keys
        )
    assert sequence == 3
    assert permission.about == [(ACTOR.principal, "fresh", [])]
    assert await scene.realm("fresh") == fresh
    assert await scene.keys("fresh-id") == ["of-fresh"]
    (event,) = await scene.log()
    assert (type(event), event.touches) == (RealmCreated, ("realm:fresh",))
    _, body = await scene.projected("realm:fresh") or (0, None)
    assert b'"of-fresh"' in (body or b"")


async def test_nodes_are_told_anew_of_clients_that_did_not_change(scene: Scene) -> None:
    told = {
        CLIENT_FIELD: ClientProjection(uuid="uuid", realm_id="realm-id", client_id="orders"),
        "gone": None,
    }
    async with scene.store.change(ACTOR) as transaction:
        assert await record_projections(transaction, REALM, told, reason="an upgrade") == 3
    (event,) = await scene.log()
    assert (type(event), event.touches, event.realm) == (RealmUpdated, (CLIENT_FIELD, "gone"), "acme")
    entry = await scene.audited(3)
    assert (entry.details, entry.client_uuid) == ({"reason": "an upgrade", "clients": 2}, None)
    assert await scene.projected("gone") == (3, None)
