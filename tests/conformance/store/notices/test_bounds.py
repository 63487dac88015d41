"""With many clients, a step reads a page through indexes, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.operations.notice_changes import MAX_OPEN
from keyturn_credentials.operations.notice_sweep import PAGE
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from tests.conformance.store.conftest import Instance
from tests.conformance.store.notices.scene import BY_URL, DAY, Scene

CLIENTS = 2_500
MOST_STATEMENTS = 20
ENDLESS = {"keyturn.secret.expiration-period": str(10 * DAY)}
"""Attributes of a client whose secret ends soon, and is rotated by policy before."""


class Noted:
    """A connection that notes each statement with its parameters."""

    def __init__(self, connection: Any, noted: list[tuple[Any, Any]]) -> None:
        self._connection = connection
        self._noted = noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        self._noted.append((statement, parameters))
        return await self._connection.execute(statement, parameters)


class NotedDatabase:
    """A database whose statements are noted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements: list[tuple[Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        async with self._database.reading() as connection:
            yield Noted(connection, self.statements)

    @asynccontextmanager
    async def finding(self) -> AsyncIterator[Any]:
        async with self._database.finding() as connection:
            yield Noted(connection, self.statements)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        async with self._database.writing() as connection:
            yield Noted(connection, self.statements)


def secret_until(ends_at: float) -> ClientSecrets:
    return ClientSecrets(current=StoredSecret("digest", ends_at - 10 * DAY, ends_at, None))


async def fill(scene: Scene, attributes: dict[str, str], *, ends_at: float | None = None) -> None:
    """Add clients, all with a secret that ends at the same time."""
    async with scene.store.change(SYSTEM) as transaction:
        realm = await transaction.realms.get("acme")
        assert realm is not None
        added = [
            Client(
                f"uuid-{number:08}",
                realm.id,
                f"client-{number:08}",
                authenticator="client-secret" if ends_at is not None else "client-jwt",
                attributes=attributes,
                secrets=ClientSecrets() if ends_at is None else secret_until(ends_at),
                keys_since=None if ends_at is not None else scene.clock.time,
            )
            for number in range(CLIENTS)
        ]
        await transaction.stamp()
        await transaction.clients.insert_all(added)


async def steps_of_a_round(scene: Scene, database: NotedDatabase) -> list[int]:
    """Return how many statements each step of a round needed."""
    noted = scene.instance(Store(database, scene.clock, scene.store.encryption))  # type: ignore[arg-type]  # a stand-in
    await noted.round()  # the ends of certificates are filled in once
    counts, complete = [], False
    while not complete:
        database.statements.clear()
        complete = await noted.sweep.step()
        counts.append(len(database.statements))
    return counts


async def plans(database: NotedDatabase, statements: list[tuple[Any, Any]]) -> list[str]:
    """Return how SQLite would find the rows of these statements."""
    found = []
    async with database.reading() as connection:
        for statement, given in statements:
            compiled = statement.params(**given) if given else statement
            sql = compiled.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
            rows = await connection.execute(text(f"EXPLAIN QUERY PLAN {sql}".replace(":", "\\:")))
            found += [row.detail for row in rows]
    return found


async def test_secrets_that_policies_rotate_are_paged(scene: Scene, instance: Instance) -> None:
    await fill(scene, ENDLESS, ends_at=scene.clock.time + 9 * DAY)
    database = NotedDatabase(instance.database)
    counts = await steps_of_a_round(scene, database)
    assert CLIENTS // PAGE <= len(counts) <= CLIENTS // PAGE + 40
    assert max(counts) <= MOST_STATEMENTS
    assert await scene.notices() == []


async def test_secrets_that_have_ended_are_paged_until_there_are_enough_notices(
    scene: Scene, instance: Instance
) -> None:
    await fill(scene, {}, ends_at=scene.clock.time - DAY)
    database = NotedDatabase(instance.database)
    await steps_of_a_round(scene, database)
    assert await scene.codes() == ["secret_ended"] * MAX_OPEN
    counts = await steps_of_a_round(scene, database)
    assert len(counts) <= 2 * (MAX_OPEN // PAGE) + 40
    assert max(counts) <= MOST_STATEMENTS


async def test_jwks_urls_are_paged(scene: Scene, instance: Instance) -> None:
    await fill(scene, BY_URL)
    database = NotedDatabase(instance.database)
    counts = await steps_of_a_round(scene, database)
    assert CLIENTS // PAGE <= len(counts) <= CLIENTS // PAGE + 40
    assert max(counts) <= MOST_STATEMENTS


async def test_each_page_is_found_through_an_index(scene: Scene, instance: Instance) -> None:
    if instance.database.is_postgresql:
        return  # which scans tables that are as small as these
    await scene.create("orders", attributes=ENDLESS)
    database = NotedDatabase(instance.database)
    noted = scene.instance(Store(database, scene.clock, scene.store.encryption))  # type: ignore[arg-type]  # a stand-in
    await noted.round()
    selects = [(each, given) for each, given in database.statements if each.is_select]
    scans = {plan for plan in await plans(database, selects) if plan.startswith("SCAN")}
    assert not [plan for plan in scans if "clients" in plan and "USING INDEX" not in plan], scans
