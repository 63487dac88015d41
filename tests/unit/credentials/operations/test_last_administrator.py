"""Realm master always has a client that can administer keyturn."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyturn_credentials.domain.administrators import administers
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.errors import LastAdministratorError
from keyturn_credentials.operations.changes import Change
from keyturn_credentials.store.unit_of_work import SYSTEM
from keyturn_shared.events import ClientDeleted, ClientUpdated
from tests.unit.credentials.operations.scene import Asked, Scene, signing_key, target

MASTER = Realm("master-id", "master")
SECRETS = ClientSecrets(current=StoredSecret("digest", 1.0))
ROLES = {"keyturn.admin.roles": "admin"}
FIRST = Client("first", MASTER.id, "first", attributes=ROLES, secrets=SECRETS)
SECOND = Client("second", MASTER.id, "second", attributes=ROLES, secrets=SECRETS)
ENDINGS: dict[str, Client | None] = {
    "deleted": None,
    "disabled": replace(FIRST, enabled=False),
    "without a service account": replace(FIRST, document={"serviceAccountsEnabled": False}),
    "public": replace(FIRST, document={"publicClient": True}),
    "without the role": replace(FIRST, attributes={"keyturn.admin.roles": "manage-clients"}),
    "without a secret": replace(FIRST, secrets=ClientSecrets()),
    "without keys": replace(FIRST, authenticator="client-jwt"),
}


@pytest.fixture
async def master(path: Path) -> AsyncIterator[Scene]:
    """Realm master with one administrator and one other client."""
    scene = Scene(path)
    async with scene.store.change(SYSTEM) as transaction:
        await scene.changes.create_realm(
            transaction, SYSTEM.principal, Asked(), MASTER, lambda: [signing_key("k", MASTER.id)]
        )
        await add(scene, transaction, FIRST, Client("other", MASTER.id, "other"))
    yield scene
    await scene.database.close()


async def add(scene: Scene, transaction: Any, *clients: Client) -> None:
    changes = [(None, scene.made(client)) for client in clients]
    await scene.changes.write_clients(transaction, SYSTEM.principal, Asked(), MASTER, changes)


async def change(scene: Scene, uuid: str, after: Client | None) -> None:
    def decide(realm: Realm, client: Client, now: float) -> Change[Client, None]:
        event = ClientDeleted if after is None else ClientUpdated
        wanted = None if after is None else replace(after, version=client.version)
        return Change(after=wanted, event=event, value=None)

    await scene.changes.change_client(target(realm="master", uuid=uuid), Asked(), decide)


async def stored(scene: Scene, uuid: str) -> Client | None:
    async with scene.store.find() as reading:
        return await reading.clients.get(MASTER.id, uuid)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_the_last_administrator_stays(master: Scene, ending: str) -> None:
    with pytest.raises(LastAdministratorError, match="another client"):
        await change(master, "first", ENDINGS[ending])
    assert await stored(master, "first") == FIRST
    assert len(await master.log()) == 1


@pytest.mark.parametrize("ending", ENDINGS)
async def test_one_of_two_administrators_may_go(master: Scene, ending: str) -> None:
    async with master.store.change(SYSTEM) as transaction:
        await add(master, transaction, SECOND)
    await change(master, "first", ENDINGS[ending])
    with pytest.raises(LastAdministratorError):
        await change(master, "second", None)


async def test_of_two_that_go_at_the_same_time_one_stays(master: Scene) -> None:
    async with master.store.change(SYSTEM) as transaction:
        await add(master, transaction, SECOND)
    outcomes = await asyncio.gather(
        change(master, "first", None), change(master, "second", None), return_exceptions=True
    )
    assert [type(each) for each in outcomes if each is not None] == [LastAdministratorError]


async def test_another_change_of_the_last_administrator_is_made(master: Scene) -> None:
    await change(master, "first", replace(FIRST, attributes={**ROLES, "team": "a"}))
    after = await stored(master, "first")
    assert after is not None
    assert after.attributes["team"] == "a"


async def test_a_client_that_is_no_administrator_may_go(master: Scene) -> None:
    await change(master, "other", None)
    assert await stored(master, "other") is None


async def test_an_administrator_of_another_realm_may_go(scene: Scene) -> None:
    def decide(realm: Realm, client: Client, now: float) -> Change[Client, None]:
        return Change(after=None, event=ClientDeleted, value=None)

    await scene.changes.change_client(target(), Asked(), decide)
    assert await scene.client() is None


def test_a_client_with_a_role_that_is_unknown_now_is_no_administrator() -> None:
    assert not administers(replace(FIRST, attributes={"keyturn.admin.roles": "emperor"}))


def test_a_client_with_keys_of_its_own_administers() -> None:
    inline = {**ROLES, "use.jwks.url": "true", "jwks.url": "https://client.example/jwks"}
    assert administers(replace(FIRST, authenticator="client-jwt", attributes=inline))
