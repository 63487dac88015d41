"""Connections of both databases accept and return the same values, and undo failures."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, event, insert, select, text, update
from sqlalchemy.exc import StatementError
from sqlalchemy.pool import Pool

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.engine_factory import Limits
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.tables import event_counter, realms
from tests.conformance.store.conftest import Instance, instance_of
from tests.testkit.admin_api import settings_for
from tests.testkit.waiting import in_time

ROW: dict[str, Any] = {
    "id": "11111111-1111-1111-1111-111111111111",
    "name": "ümlaut",
    "enabled": False,
    "attributes": {"a": 'b"', "ü": ""},
    "document": {"list": [1, None, {"deep": True}]},
    "keys_not_before": 2**40,
    "version": 7,
    "token_generation": 3,
    "projection_revision": 5,
}
_insert = insert(realms)
_find = select(realms).where(realms.c.name == bindparam("name"))
_count = update(event_counter).values(value=event_counter.c.value + 1).returning(event_counter.c.value)
_end_others = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
_count_to = text(
    "WITH RECURSIVE numbers(number) AS"
    " (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :end) SELECT max(number) FROM numbers"
).bindparams(bindparam("end", type_=Integer))
_broken = select(text("nothing_of_this_name")).select_from(realms)


async def test_values_of_all_kinds_are_read_as_they_were_written(instance: Instance) -> None:
    async with instance.database.writing() as connection:
        await connection.execute(_insert, ROW)
    async with instance.database.finding() as connection:
        found = (await connection.execute(_find, {"name": ROW["name"]})).one()
    async with instance.database.reading() as connection:
        read = (await connection.execute(_find, {"name": ROW["name"]})).one()
    assert found._asdict() == read._asdict() == ROW
    assert (await instance.database.find(_find, {"name": "another"})) == []


async def test_a_value_that_is_missing_is_not_taken_for_null(instance: Instance) -> None:
    with pytest.raises(StatementError, match="'name'"):
        await instance.database.find(_find, {"nome": "acme"})


async def test_what_is_raised_undoes_the_statements_before_it(instance: Instance) -> None:
    with pytest.raises(ValueError, match="in between"):
        async with instance.database.writing() as connection:
            await connection.execute(_insert, ROW)
            await connection.execute(_count)
            raise ValueError("in between")
    assert await instance.database.find(_find, {"name": ROW["name"]}) == []
    assert await instance.log.head() == 0


async def test_a_cancelled_transaction_is_undone_and_its_connection_given_to_nobody(
    instance: Instance,
) -> None:
    begun = asyncio.Event()

    async def change() -> None:
        async with instance.database.writing() as connection:
            await connection.execute(_insert, ROW)
            begun.set()
            await asyncio.Event().wait()

    for _ in range(10):  # more than there are connections
        begun.clear()
        task = asyncio.create_task(change())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with instance.database.writing() as connection:
        await connection.execute(_insert, ROW)
    assert len(await instance.database.find(_find, {"name": ROW["name"]})) == 1


async def test_what_a_driver_raises_is_told_as_the_databases_failure(instance: Instance) -> None:
    with pytest.raises(StoreUnavailableError), map_driver_errors():
        async with instance.database.finding() as connection:
            await connection.execute(_broken)
    with pytest.raises(StoreUnavailableError), map_driver_errors():
        async with instance.database.writing() as connection:
            await connection.execute(_insert, ROW)
            await connection.execute(_insert, ROW)
    assert await instance.database.find(_find, {"name": ROW["name"]}) == []


async def test_a_reader_that_gets_no_connection_in_time_is_told_so(
    instance: Instance, database_url: str
) -> None:
    database = Database(database_url, pool_size=4, limits=Limits(wait=0.1, statement=60.0))
    async with AsyncExitStack() as readers:
        for _ in range(4):
            await readers.enter_async_context(database.reading())
        with pytest.raises(StoreUnavailableError, match="all connections were in use"), map_driver_errors():
            async with database.reading():
                pass
    async with database.reading() as connection:
        assert (await connection.execute(_count_to, {"end": 3})).scalar_one() == 3
    await database.close()


async def test_reads_that_are_cancelled_leave_their_connections_as_good_as_they_were(
    instance: Instance,
) -> None:
    async def count_to(end: int) -> int:
        async with instance.database.reading() as connection:
            counted: int = (await connection.execute(_count_to, {"end": end})).scalar_one()
            return counted

    for turns in (1, 10, 100):
        cancelled = [asyncio.create_task(count_to(100_000)) for _ in range(8)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in cancelled:
            task.cancel()
        assert await asyncio.gather(*(count_to(end) for end in range(1, 9))) == list(range(1, 9))
        for outcome in await asyncio.gather(*cancelled, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError) or outcome == 100_000  # it finished first


@contextmanager
def ends_of_connections() -> Iterator[list[asyncio.Event]]:
    """Yield an event for each connection opened meanwhile, set when its driver knows that it ended."""
    ends: list[asyncio.Event] = []

    def listen(connection: Any, _record: object) -> None:
        async def listen_to(driver: asyncpg.Connection) -> None:
            ended = asyncio.Event()
            driver.add_termination_listener(lambda _: ended.set())
            ends.append(ended)

        connection.run_async(listen_to)

    event.listen(Pool, "connect", listen)
    try:
        yield ends
    finally:
        event.remove(Pool, "connect", listen)


async def test_a_connection_that_the_server_closed_is_not_used_again(postgres_url: str) -> None:
    instance = instance_of(settings_for(postgres_url, "redis://127.0.0.1:1/0"))
    await migrate(instance.database)
    with ends_of_connections() as ends:
        assert await instance.database.find(_find, {"name": ROW["name"]}) == []
        async with instance.database.writing() as connection:
            await connection.execute(_insert, ROW)
    assert len(ends) == 2
    async with instance.database.maintaining() as connection:
        await connection.execute(_end_others)
    await in_time(asyncio.gather(*(ended.wait() for ended in ends)))
    assert len(await instance.database.find(_find, {"name": ROW["name"]})) == 1
    async with instance.database.writing() as connection:
        await connection.execute(_count)
    assert await instance.log.head() == 1
    await instance.database.close()
