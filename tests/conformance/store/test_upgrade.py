"""A database of every earlier build is upgraded with all its content."""

import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.client_search import find_page
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.engine_factory import Limits
from keyturn_credentials.store.migrate import Schema, migrate, schema_of
from keyturn_credentials.store.search_query import Criteria
from keyturn_shared.clock import SystemClock
from keyturn_shared.projection import secret_context
from tests.conformance.store.blocks import require_exact_blocks
from tests.conformance.store.conftest import ACTOR, Instance, instance_of
from tests.conformance.store.revisions import script_directory, upgrade_to

REVISIONS = [f"{number:04}" for number in range(1, 18)]

_PARTS = "\n".join(sorted({"old-orders"[start : start + 2] for start in range(9)}))


def rows(settings: CredentialsSettings, revision: str) -> list[tuple[str, dict[str, object]]]:
    """Return what a build of this revision wrote for one realm with one client."""
    sealed = settings.encryption_ring().seal(b"the-secret", secret_context("uuid-1"))
    digest = settings.fleet_ring().digest("the-secret", secret_context("uuid-1"))
    kept = {"digest": digest, "created_at": 1.0, "expires_at": None, "sealed": sealed}
    former = {**kept, "expires_at": 4102444800.0}
    owner = "'uuid-1'" if revision < "0003" else "'realm-1', 'Old-Orders'"
    blocks: list[tuple[str, dict[str, object]]] = []
    if revision >= "0005":
        block = "INSERT INTO client_name_blocks VALUES ('realm-1', '', 1, :parts)"
        blocks.append((block, {"parts": _PARTS}))
    return [
        (
            "INSERT INTO realms (id, name, enabled, attributes, document, keys_not_before, version)"
            " VALUES ('realm-1', 'acme', true, '{}', '{}', 0, 1)",
            {},
        ),
        (
            "INSERT INTO clients (uuid, realm_id, client_id, enabled, authenticator, attributes, document,"
            " secrets, revoked_keys, keys_not_before, version) VALUES ('uuid-1', 'realm-1', 'Old-Orders',"
            " true, 'client-secret', CAST(:attributes AS json), '{}', CAST(:secrets AS json), '{}', 0, 3)",
            {
                "attributes": json.dumps({"team": "payments"}),
                "secrets": json.dumps({"current": kept, "rotated": former}),
            },
        ),
        (f"INSERT INTO client_attributes VALUES ({owner}, 'team', 'payments')", {}),
        (
            "INSERT INTO events (sequence, id, type, payload, touches, occurred_at)"
            " VALUES (1, 'event-1', 'realm_created', :payload, '[]', 1.0)",
            {"payload": b"{}"},
        ),
        ("UPDATE event_counter SET value = 1", {}),
        *(
            [("INSERT INTO client_names (realm_id, client_id) VALUES ('realm-1', 'Old-Orders')", {})]
            if revision >= "0003"
            else []
        ),
        *blocks,
    ]


@pytest.fixture(params=REVISIONS)
async def upgraded(request: pytest.FixtureRequest, settings: CredentialsSettings) -> AsyncIterator[Instance]:
    instance = instance_of(settings)
    async with instance.database.migrating() as connection:
        await connection.run_sync(upgrade_to, request.param)
        for statement, values in rows(settings, request.param):
            if not instance.database.is_postgresql:
                statement = statement.replace("CAST(:attributes AS json)", ":attributes")
                statement = statement.replace("CAST(:secrets AS json)", ":secrets")
            await connection.execute(text(statement), values)
    await migrate(instance.database)
    yield instance
    await instance.database.close()


async def test_what_was_there_is_found_and_works_on(upgraded: Instance) -> None:
    async with upgraded.store.read() as reading:
        client = await reading.clients.get("realm-1", "uuid-1")
        for criteria in (
            Criteria("orders", is_part=True),
            Criteria("Old-Orders"),
            Criteria(attributes={"team": "payments"}),
        ):
            assert await find_page(reading, "realm-1", criteria, first=0, most=9) == [client]
    assert client is not None
    assert client.secrets.current is not None
    assert client.secrets.current.secret is not None
    assert client.secrets.current.secret.reveal() == "the-secret"
    assert client.secrets.rotated is not None
    assert await require_exact_blocks(upgraded, "realm-1") == ["Old-Orders"]
    done = await upgraded.operations.secrets.regenerate(ClientTarget(ACTOR, "acme", "uuid-1"))
    assert done.sequence == 2
    attributes = {"team": "billing"}
    changed = {"clientId": "renamed", "attributes": attributes}
    assert (
        await upgraded.operations.clients.update(ClientTarget(ACTOR, "acme", "uuid-1"), changed)
    ).sequence == 3
    async with upgraded.store.read() as reading:
        for criteria, count in (
            (Criteria("old", is_part=True), 0),
            (Criteria(attributes=attributes), 1),
        ):
            assert len(await find_page(reading, "realm-1", criteria, first=0, most=9)) == count


async def test_the_age_of_keys_counts_from_the_upgrade(settings: CredentialsSettings) -> None:
    instance = instance_of(settings)
    began = SystemClock().now()
    async with instance.database.migrating() as connection:
        await connection.run_sync(upgrade_to, "0013")
        for statement, values in rows(settings, "0013"):
            if not instance.database.is_postgresql:
                statement = statement.replace("CAST(:attributes AS json)", ":attributes")
                statement = statement.replace("CAST(:secrets AS json)", ":secrets")
            await connection.execute(text(statement.replace("'client-secret'", "'client-jwt'")), values)
    await migrate(instance.database)
    async with instance.store.read() as reading:
        client = await reading.clients.get("realm-1", "uuid-1")
    await instance.database.close()
    assert client is not None
    assert client.keys_since is not None
    assert began - 2 <= client.keys_since <= SystemClock().now() + 2


async def test_blocks_of_names_are_made_for_as_many_clients_as_there_are(
    settings: CredentialsSettings,
) -> None:
    instance = instance_of(settings)
    async with instance.database.migrating() as connection:
        await connection.run_sync(upgrade_to, "0004")
        for realm in ("empty", "large", "small"):
            await connection.execute(
                text(
                    "INSERT INTO realms (id, name, enabled, attributes, document, keys_not_before, version)"
                    " VALUES (:realm, :realm, true, '{}', '{}', 0, 1)"
                ),
                {"realm": realm},
            )
        clients = [{"realm": "large", "id": f"Client-{number:04}"} for number in range(2500)]
        clients.append({"realm": "small", "id": "A"})
        await connection.execute(
            text(
                "INSERT INTO clients (uuid, realm_id, client_id, enabled, authenticator, attributes,"
                " document, secrets, revoked_keys, keys_not_before, version)"
                " VALUES (:id, :realm, :id, true, 'client-secret', '{}', '{}', '{}', '{}', 0, 1)"
            ),
            clients,
        )
        names = text("INSERT INTO client_names (realm_id, client_id) VALUES (:realm, :id)")
        await connection.execute(names, clients)
    await migrate(instance.database)
    assert await require_exact_blocks(instance, "large") == [client["id"] for client in clients[:-1]]
    assert await require_exact_blocks(instance, "small") == ["A"]
    assert await instance.operations.maintenance.repair_page_index() == 0
    await instance.database.close()


def test_every_former_revision_is_upgraded_from_here() -> None:
    known = [script.revision for script in script_directory().walk_revisions()]
    assert sorted(known)[:-1] == REVISIONS, "a new migration needs the one before it in REVISIONS"
    assert [schema_of({revision}) for revision in known] == [Schema.CURRENT] + [Schema.OLDER] * len(REVISIONS)


async def test_a_migration_may_take_longer_than_a_statement_of_the_service(postgres_url: str) -> None:
    """The service's time limits do not interrupt the upgrade of a large database."""
    database = Database(postgres_url, limits=Limits(wait=0.2, statement=0.2))
    async with database.migrating() as connection:
        await connection.execute(text("SELECT pg_sleep(0.6)"))
    await database.close()
