"""Invariant 1 under crashes at any point: state and event are committed together or not at all, no gaps."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.errors import ConflictError, NotFoundError
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.sqlite_connection import SqliteConnection
from keyturn_shared.events import decode_event
from keyturn_shared.projection import client_field, decode_client, projection_value
from tests.conformance.store.conftest import ACTOR, Instance, instance_of
from tests.testkit.stored_projections import stored_projections

NAMES = ("a", "b", "c", "aa", "bb", "cc")


class CrashError(BaseException):
    """The process is gone: nothing of it continues, so no handler may catch this."""


@dataclass
class Crash:
    """A crash at the n-th statement of a change, including BEGIN and COMMIT, or at its COMMIT (None: never):
    before it runs, or after it when only the answer is lost."""

    at_statement: int | Literal["COMMIT"] | None
    answer_lost: bool
    done: int = 0

    @contextmanager
    def armed(self) -> Iterator[None]:
        def counted(real: Any) -> Any:
            async def statement(connection: Any, *arguments: Any, **options: Any) -> Any:
                is_commit = self.at_statement == "COMMIT" and str(arguments[0]).startswith("COMMIT")
                is_here, self.done = is_commit or self.done == self.at_statement, self.done + 1
                if is_here and not self.answer_lost:
                    raise CrashError
                answer = await real(connection, *arguments, **options)
                if is_here:
                    raise CrashError
                return answer

            return statement

        with pytest.MonkeyPatch.context() as patched:
            # Statements of the store, and those that begin and end transactions.
            for connection, name in (
                (SqliteConnection, "execute"),
                (SqliteConnection, "exec_driver_sql"),
                (AsyncConnection, "execute"),
                (asyncpg.Connection, "execute"),
            ):
                patched.setattr(connection, name, counted(getattr(connection, name)))
            yield


@dataclass(frozen=True)
class Model:
    """The expected state: each client's version, and the number of events."""

    realm: str
    events: int
    versions: Mapping[str, int] = field(default_factory=dict)

    def after(self, kind: str, name: str) -> "Model | None":
        """Return the expected state after a change; None if it must be refused."""
        if (name in self.versions) == (kind == "create"):
            return None
        others = {each: version for each, version in self.versions.items() if each != name}
        version = self.versions.get(name, 0) + 1
        match kind:
            case "delete":
                left = others
            case "rename":
                if (new := renamed(name)) in others:
                    return None
                left = {**others, new: version}
            case "clear":  # the client looks the same to callers, so its version is unchanged
                left = {**self.versions}
            case _:
                left = {**others, name: version}
        return Model(self.realm, self.events + 1, left)


def renamed(name: str) -> str:
    return f"{name}{name}" if len(name) == 1 else name[0]


STEP = st.tuples(
    st.sampled_from(["create", "update", "rename", "regenerate", "delete", "clear"]),
    st.sampled_from(NAMES),
    st.none() | st.integers(0, 11),
    st.booleans(),
)


async def carry_out(process: Instance, model: Model, kind: str, name: str, uuid: str) -> None:
    """Make one change. Raises the operation's errors."""
    clients, realm = process.operations.clients, model.realm
    match kind:
        case "create":
            await clients.create(ACTOR, realm, {"clientId": name, "attributes": {"x": "1"}})
        case "update":
            await clients.update(ClientTarget(ACTOR, realm, uuid), {"attributes": {"x": str(model.events)}})
        case "rename":
            await clients.update(ClientTarget(ACTOR, realm, uuid), {"clientId": renamed(name)})
        case "regenerate":
            await process.operations.secrets.regenerate(ClientTarget(ACTOR, realm, uuid))
        case "delete":
            await clients.delete(ClientTarget(ACTOR, realm, uuid))
        case _:
            await process.operations.keys.clear_cache(ClientTarget(ACTOR, realm, uuid))


async def check(instance: Instance, model: Model) -> dict[str, str]:
    """Check that the log is complete, and that clients, projections and log agree. Return the clients' UUIDs
    by id."""
    logged = await instance.log.read(1, 1000)
    assert [event.sequence for event in logged] == list(range(1, model.events + 1))
    assert await instance.log.head() == model.events
    touched: dict[str, int] = {}
    for event in logged:
        decoded = decode_event(event.payload)
        assert (decoded.sequence, decoded.id) == (event.sequence, event.id)
        touched |= dict.fromkeys(event.touches, event.sequence)
    async with instance.store.read() as reading:
        realm = await reading.realms.get(model.realm)
        assert realm is not None
        looked_for = {name: await reading.clients.find(realm.id, name) for name in NAMES}
    found = {name: client for name, client in looked_for.items() if client is not None}
    assert {name: client.version for name, client in found.items()} == model.versions
    fields = {name: client_field(realm.id, name) for name in NAMES}
    projections = await stored_projections(instance.database, fields.values())
    for name, of_name in fields.items():
        sequence, body = projections.get(of_name, (0, None))
        assert sequence == touched.get(of_name, 0)
        assert (body is None) == (name not in model.versions)
        if body is not None:
            assert decode_client(projection_value(sequence, body))[1].uuid == found[name].uuid
    return {name: client.uuid for name, client in found.items()}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=3, max_size=12))
async def test_a_crash_at_any_statement_leaves_all_of_a_change_or_nothing(
    instance: Instance, steps: list[tuple[str, str, int | None, bool]]
) -> None:
    async with instance.store.read() as reading:
        known = len(await reading.realms.all())
    model = Model(f"realm-{known}", events=1 + await instance.log.head())
    await instance.operations.realms.create(ACTOR, {"realm": model.realm})
    uuids = await check(instance, model)
    for kind, name, crashes_at, answer_lost in steps:
        # After a crash the process is a new one with its own connections.
        process = instance_of(instance.settings)
        changed = model.after(kind, name)
        crash = Crash(crashes_at, answer_lost)
        try:
            with crash.armed():
                await carry_out(process, model, kind, name, uuids.get(name, "no-such-client"))
            assert changed is not None
            model = changed
        except CrashError:
            if await instance.log.head() > model.events:
                assert crash.answer_lost
                assert changed is not None
                model = changed
        except (ConflictError, NotFoundError):
            assert changed is None
        finally:
            await process.database.close()
        uuids = await check(instance, model)


async def test_a_crash_at_the_commit_leaves_nothing_before_it_and_everything_after_it(
    instance: Instance,
) -> None:
    await instance.operations.realms.create(ACTOR, {"realm": "acme"})
    model = Model("acme", events=1)
    for answer_lost, name, expected in ((False, "lost", 1), (True, "kept", 2)):
        process = instance_of(instance.settings)
        with pytest.raises(CrashError), Crash("COMMIT", answer_lost).armed():
            await carry_out(process, model, "create", name, "")
        await process.database.close()
        assert await instance.log.head() == expected


async def test_writers_that_are_cancelled_leave_no_gap_and_nobody_waits_for_them(instance: Instance) -> None:
    """A caller that disconnects cancels its change at any point."""
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
