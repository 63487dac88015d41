"""Statements handed to the driver give and take the same values as those that SQLAlchemy carries out."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, insert, select, text, update

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.store.direct import binds_of, driver_of, run, run_one
from keyturn_credentials.store.failures import translated
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.tables import event_counter, realms
from tests.conformance.store.conftest import Instance, instance_of
from tests.support.admin_api import settings_for

ROW: dict[str, Any] = {
    "id": "11111111-1111-1111-1111-111111111111",
    "name": "ümlaut",
    "enabled": False,
    "attributes": {"a": 'b"', "ü": ""},
    "document": {"list": [1, None, {"deep": True}]},
    "keys_not_before": 2**40,
    "version": 7,
}
_insert = insert(realms).values(binds_of(realms))
_find = select(realms).where(realms.c.name == bindparam("name"))
_count = update(event_counter).values(value=event_counter.c.value + 1).returning(event_counter.c.value)
_end_others = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
_broken = select(text("nothing_of_this_name")).select_from(realms)


async def test_values_of_all_kinds_are_written_and_read_as_by_sqlalchemy(instance: Instance) -> None:
    async with instance.engines.writing() as connection:
        assert await run(connection, _insert, ROW) == []
    async with instance.engines.finding() as connection:
        found = await run_one(connection, _find, {"name": ROW["name"]})
        by_sqlalchemy = (await connection.execute(_find, {"name": ROW["name"]})).one()
    assert found._asdict() == by_sqlalchemy._asdict() == ROW
    assert (await instance.engines.find(_find, {"name": "another"})) == []


async def test_a_value_that_is_missing_is_not_taken_for_null(instance: Instance) -> None:
    with pytest.raises(KeyError):
        await instance.engines.find(_find, {"nome": "acme"})


async def test_what_is_raised_undoes_the_statements_of_both_ways(instance: Instance) -> None:
    with pytest.raises(ValueError, match="in between"):
        async with instance.engines.writing() as connection:
            await run(connection, _insert, ROW)
            await connection.execute(_count)
            raise ValueError("in between")
    assert await instance.engines.find(_find, {"name": ROW["name"]}) == []
    assert await instance.log.head() == 0


async def test_a_cancelled_transaction_is_undone_and_its_connection_given_to_nobody(
    instance: Instance,
) -> None:
    begun = asyncio.Event()

    async def change() -> None:
        async with instance.engines.writing() as connection:
            await run(connection, _insert, ROW)
            begun.set()
            await asyncio.Event().wait()

    for _ in range(10):  # more than there are connections
        begun.clear()
        task = asyncio.create_task(change())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with instance.engines.writing() as connection:
        await run(connection, _insert, ROW)
    assert len(await instance.engines.find(_find, {"name": ROW["name"]})) == 1


async def test_what_a_driver_raises_is_told_as_by_sqlalchemy(instance: Instance) -> None:
    with pytest.raises(StoreUnavailableError), translated():
        async with instance.engines.finding() as connection:
            await run(connection, _broken)
    with pytest.raises(StoreUnavailableError), translated():
        async with instance.engines.writing() as connection:
            await run(connection, _insert, ROW)
            await run(connection, _insert, ROW)
    assert await instance.engines.find(_find, {"name": ROW["name"]}) == []


def told_of_its_end(driver: asyncpg.Connection) -> asyncio.Event:
    told = asyncio.Event()
    driver.add_termination_listener(lambda _: told.set())
    return told


async def test_a_connection_that_the_server_closed_is_not_used_again(postgres_url: str) -> None:
    instance = instance_of(settings_for(postgres_url, "redis://127.0.0.1:1/0"))
    await migrate(instance.engines)
    ended = []
    async with instance.engines.finding() as connection:
        ended.append(told_of_its_end(driver_of(connection)))
    async with instance.engines.writing() as connection:
        ended.append(told_of_its_end(driver_of(connection)))
        await run(connection, _insert, ROW)
    async with instance.engines.maintaining() as connection:
        await connection.execute(_end_others)
    await asyncio.wait_for(asyncio.gather(*(told.wait() for told in ended)), 30)
    assert len(await instance.engines.find(_find, {"name": ROW["name"]})) == 1
    async with instance.engines.writing() as connection:
        await run(connection, _count)
    assert await instance.log.head() == 1
    await instance.engines.close()
