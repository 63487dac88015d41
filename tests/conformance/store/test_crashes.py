"""Invariant 1 under crashes at any point: state and event are committed together or not at all, no gaps."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.errors import ConflictError, NotFoundError
from keyturn_credentials.store.sqlite_connection import WholeResultConnection
from keyturn_shared.events import decode_event
from keyturn_shared.projection import client_field, decode_client, projection_value
from tests.conformance.store.conftest import ACTOR, Instance, instance_of


class CrashError(BaseException):
    """The process is gone: nothing of it runs on, so nothing that catches errors may catch this one."""


@dataclass
class Crash:
    """Happens before the n-th statement of a change, or after its commit (``lost_answer``)."""

    before_statement: int | None
    done: int = 0

    @contextmanager
    def armed(self) -> Iterator[None]:
        def counted(real: Any) -> Any:
            async def statement(connection: Any, *arguments: Any, **options: Any) -> Any:
                if self.done == self.before_statement:
                    raise CrashError
                self.done += 1
                return await real(connection, *arguments, **options)

            return statement

        with pytest.MonkeyPatch.context() as patched:
            # SQLAlchemy's statements, and those handed to the driver; on SQLite BEGIN and COMMIT as well.
            patched.setattr(AsyncConnection, "execute", counted(AsyncConnection.execute))
            for driver in (WholeResultConnection, asyncpg.Connection):
                patched.setattr(driver, "fetch", counted(driver.fetch))
            yield


@dataclass
class Model:
    """What has to be there: each client's version, and how many events there are."""

    realm_id: str
    versions: dict[str, int] = field(default_factory=dict)
    uuids: dict[str, str] = field(default_factory=dict)
    events: int = 1


STEP = st.tuples(
    st.sampled_from(["create", "update", "rename", "regenerate", "delete", "clear"]),
    st.sampled_from(["a", "b", "c"]),
    st.none() | st.integers(0, 9),
)


async def carry_out(instance: Instance, model: Model, kind: str, name: str) -> None:
    """One change; the model follows when it returns. Raises what the operation raises."""
    clients, realm = instance.operations.clients, model.realm_id
    uuid = model.uuids.get(name, "no-such-client")
    match kind:
        case "create":
            done = await clients.create(ACTOR, realm, {"clientId": name, "attributes": {"x": "1"}})
            model.versions[name], model.uuids[name] = 1, done.value[0].uuid
        case "update":
            version = str(model.versions.get(name))
            await clients.update(ACTOR, realm, uuid, {"attributes": {"x": version}})
            model.versions[name] += 1
        case "rename":
            new = f"{name}{name}" if len(name) == 1 else name[0]
            await clients.update(ACTOR, realm, uuid, {"clientId": new})
            model.versions[new] = model.versions.pop(name) + 1
            model.uuids[new] = model.uuids.pop(name)
        case "regenerate":
            await instance.operations.secrets.regenerate(ACTOR, realm, uuid)
            model.versions[name] += 1
        case "delete":
            await clients.delete(ACTOR, realm, uuid)
            del model.versions[name], model.uuids[name]
        case _:
            # What a caller sees of the client is as before, so its version is too.
            await instance.operations.keys.clear_cache(ACTOR, realm, uuid)
    model.events += 1


async def check(instance: Instance, model: Model, names: list[str]) -> None:
    """The log is whole, and clients, projections and log tell the same."""
    logged = await instance.log.read(1, 1000)
    assert [event.sequence for event in logged] == list(range(1, model.events + 1))
    assert await instance.log.head() == model.events
    touched: dict[str, int] = {}
    for event in logged:
        decoded = decode_event(event.payload)
        assert (decoded.sequence, decoded.id) == (event.sequence, event.id)
        touched |= dict.fromkeys(event.touches, event.sequence)
    async with instance.store.read() as reading:
        realm = await reading.realms.get(model.realm_id)
        assert realm is not None
        found = {name: await reading.clients.find(realm.id, name) for name in names}
    assert {name: one.version for name, one in found.items() if one is not None} == model.versions
    fields = {name: client_field(realm.id, name) for name in names}
    projections = await instance.log.projections(fields.values())
    for name, of_name in fields.items():
        sequence, body = projections.get(of_name, (0, None))
        assert sequence == touched.get(of_name, 0)
        assert (body is None) == (name not in model.versions)
        if body is not None:
            assert decode_client(projection_value(sequence, body))[1].uuid == model.uuids[name]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=3, max_size=12))
async def test_a_crash_at_any_statement_leaves_all_of_a_change_or_nothing(
    instance: Instance, steps: list[tuple[str, str, int | None]]
) -> None:
    async with instance.store.read() as reading:
        known = len(await reading.realms.all())
    name_of_realm = f"realm-{known}"
    await instance.operations.realms.create(ACTOR, {"realm": name_of_realm})
    model = Model(name_of_realm, events=await instance.log.head())
    for kind, name, crashes_at in steps:
        # A process that crashed is another one afterwards, with connections of its own.
        process = instance_of(instance.settings)
        try:
            with Crash(crashes_at).armed():
                await carry_out(process, model, kind, name)
        except (CrashError, ConflictError, NotFoundError, KeyError):
            pass
        finally:
            await process.engines.close()
        await check(instance, model, ["a", "b", "c", "aa", "bb", "cc"])


async def test_writers_that_are_cancelled_leave_no_gap_and_nobody_waits_for_them(instance: Instance) -> None:
    """A caller that hangs up cancels its change wherever it stands."""
    await instance.operations.realms.create(ACTOR, {"realm": "acme"})

    async def write(number: int) -> int | None:
        change = instance.operations.clients.create(ACTOR, "acme", {"clientId": f"client-{number}"})
        try:
            async with asyncio.timeout(0.0005 * (number % 20)):
                return (await change).sequence
        except TimeoutError:
            return None

    answered = [each for each in await asyncio.gather(*(write(n) for n in range(120))) if each is not None]
    done = await instance.operations.clients.create(ACTOR, "acme", {"clientId": "afterwards"})
    logged = await instance.log.read(1, 1000)
    assert [event.sequence for event in logged] == list(range(1, done.sequence + 1))
    assert set(answered) <= {event.sequence for event in logged}
    assert len(set(answered)) == len(answered)
