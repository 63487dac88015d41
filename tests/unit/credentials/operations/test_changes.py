"""The template of every change of a client: state, projection, event and audit entry, or nothing."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import ForbiddenError, NotFoundError, PreconditionFailedError
from keyturn_credentials.operations.changes import Change, Done
from keyturn_shared.events import ClientCreated, ClientDeleted, ClientKeysCacheCleared, ClientUpdated
from tests.unit.credentials.operations.scene import (
    ACTOR,
    CLIENT,
    CLIENT_FIELD,
    REALM,
    Asked,
    Scene,
    target,
)


def disabled(realm: Realm, client: Client, now: float) -> Change[Client, str]:
    return Change(
        after=replace(client, enabled=False), event=ClientUpdated, value="done", details={"why": "a test"}
    )


def deleted(realm: Realm, client: Client, now: float) -> Change[Client, None]:
    return Change(after=None, event=ClientDeleted, value=None)


async def unchanged(scene: Scene) -> bool:
    return await scene.client() == CLIENT and await scene.log() == [] and scene.committed == []


async def test_a_change_is_stored_projected_logged_and_audited_as_one_event(scene: Scene) -> None:
    done = await scene.changes.change_client(target(), Asked(), disabled)
    assert done == Done(3, "done")
    after = replace(CLIENT, enabled=False, version=2)
    assert await scene.client() == after
    (event,) = await scene.log()
    assert isinstance(event, ClientUpdated)
    assert (event.sequence, event.occurred_at, event.touches) == (3, scene.clock.time, (CLIENT_FIELD,))
    assert (event.realm_id, event.realm, event.client_uuid, event.client_id) == (
        "realm-id",
        "acme",
        "uuid",
        "orders",
    )
    row = await scene.columns(event)
    assert (row.id, row.type, row.touches, row.occurred_at) == (
        event.id,
        "client_updated",
        [CLIENT_FIELD],
        scene.clock.time,
    )
    assert (row.realm_id, row.client_uuid) == ("realm-id", "uuid")
    projected = await scene.projected(CLIENT_FIELD)
    assert projected is not None
    assert projected[0] == 3
    assert b'"enabled":false' in (projected[1] or b"")
    entry = await scene.audited(3)
    assert (entry.action, entry.realm_id, entry.client_uuid, entry.client_id) == (
        "client_updated",
        "realm-id",
        "uuid",
        "orders",
    )
    assert (entry.actor_realm, entry.actor_client_id, entry.remote_address) == ("acme", "caller", "192.0.2.1")
    assert (entry.details, entry.occurred_at) == ({"why": "a test"}, scene.clock.time)
    assert scene.committed == [3]


async def test_the_decision_gets_the_client_with_its_next_version_and_the_time(scene: Scene) -> None:
    seen: list[tuple[Realm, Client, float]] = []

    def note(realm: Realm, client: Client, now: float) -> Change[Client, None]:
        seen.append((realm, client, now))
        return Change(after=client, event=ClientUpdated, value=None)

    await scene.changes.change_client(target(), Asked(), note)
    await scene.changes.change_client(target(), Asked(), note, is_revision=False)
    second = replace(CLIENT, version=2)
    assert seen == [(REALM, second, scene.clock.time), (REALM, second, scene.clock.time)]
    assert await scene.client() == second


async def test_the_permission_is_asked_for_the_client_as_it_is_and_as_it_becomes(scene: Scene) -> None:
    permission = Asked()
    await scene.changes.change_client(target(), permission, disabled)
    after = replace(CLIENT, enabled=False, version=2)
    assert permission.about == [
        (ACTOR.principal, "acme", [CLIENT]),
        (ACTOR.principal, "acme", [CLIENT, after]),
    ]


@pytest.mark.parametrize("time", [1, 2])
async def test_without_the_permission_before_or_after_nothing_changes(scene: Scene, time: int) -> None:
    with pytest.raises(ForbiddenError):
        await scene.changes.change_client(target(), Asked(refuses=time), disabled)
    assert await unchanged(scene)


async def test_a_caller_without_the_permission_does_not_get_as_far_as_the_decision(scene: Scene) -> None:
    def decide(*_: object) -> Change[Client, None]:
        raise AssertionError("decided")

    with pytest.raises(ForbiddenError):
        await scene.changes.change_client(target(), Asked(refuses=1), decide)


@pytest.mark.parametrize(
    ("realm", "uuid", "message"),
    [("acme", "nobody", "Could not find client"), ("elsewhere", "uuid", r"Realm not found\.")],
)
async def test_what_is_not_there_is_not_changed(scene: Scene, realm: str, uuid: str, message: str) -> None:
    permission = Asked()
    with pytest.raises(NotFoundError, match=f"^{message}$"):
        await scene.changes.change_client(target(realm=realm, uuid=uuid), permission, disabled)
    assert permission.about == []
    assert await unchanged(scene)


async def test_a_change_of_a_version_that_is_over_is_refused(scene: Scene) -> None:
    with pytest.raises(PreconditionFailedError):
        await scene.changes.change_client(target([2]), Asked(), disabled)
    assert await unchanged(scene)
    await scene.changes.change_client(target([1]), Asked(), disabled)


async def test_a_clearing_of_keys_counts_from_its_own_event_on(scene: Scene) -> None:
    def clear(realm: Realm, client: Client, now: float) -> Change[Client, None]:
        return Change(after=client, event=ClientKeysCacheCleared, value=None, clears_keys=True)

    done = await scene.changes.change_client(target(), Asked(), clear, is_revision=False)
    assert await scene.client() == replace(CLIENT, keys_not_before=done.sequence)
    assert [type(event) for event in await scene.log()] == [ClientKeysCacheCleared]
    assert scene.committed == [done.sequence]


async def test_a_deleted_client_leaves_a_projection_that_says_so(scene: Scene) -> None:
    permission = Asked()
    await scene.changes.change_client(target(), permission, deleted)
    assert await scene.client() is None
    assert await scene.projected(CLIENT_FIELD) == (3, None)
    assert permission.about[-1] == (ACTOR.principal, "acme", [CLIENT])
    (event,) = await scene.log()
    assert (type(event), event.client_uuid, event.client_id) == (ClientDeleted, "uuid", "orders")


async def test_a_renamed_client_is_gone_under_its_former_name(scene: Scene) -> None:
    def rename(realm: Realm, client: Client, now: float) -> Change[Client, None]:
        return Change(after=replace(client, client_id="payments"), event=ClientUpdated, value=None)

    await scene.changes.change_client(target(), Asked(), rename)
    (event,) = await scene.log()
    assert event.client_id == "payments"
    assert set(event.touches) == {CLIENT_FIELD, "client:realm-id:payments"}
    assert await scene.projected(CLIENT_FIELD) == (3, None)
    projected = await scene.projected("client:realm-id:payments")
    assert projected is not None
    assert projected[1] is not None


async def test_several_clients_change_together_or_not_at_all(scene: Scene) -> None:
    fresh = Client("another", "realm-id", "invoices")
    changes = [
        (None, Change(after=fresh, event=ClientCreated, value=None, clears_keys=True)),
        (CLIENT, Change(after=None, event=ClientDeleted, value=None)),
    ]
    with pytest.raises(ForbiddenError):
        async with scene.store.change(ACTOR) as transaction:
            await scene.write(transaction, Asked(refuses=2), *changes)
    assert await unchanged(scene)
    permission = Asked()
    async with scene.store.change(ACTOR) as transaction:
        assert await scene.write(transaction, permission, *changes) == 4
    assert permission.about == [(ACTOR.principal, "acme", [fresh]), (ACTOR.principal, "acme", [CLIENT])]
    assert [(type(event), event.sequence) for event in await scene.log()] == [
        (ClientCreated, 3),
        (ClientDeleted, 4),
    ]
    assert await scene.client("another") == replace(fresh, keys_not_before=3)
    assert await scene.client() is None


async def test_no_change_at_all_has_no_event(scene: Scene) -> None:
    async with scene.store.change(ACTOR) as transaction:
        assert await scene.write(transaction, Asked()) == 0
    assert await unchanged(scene)
