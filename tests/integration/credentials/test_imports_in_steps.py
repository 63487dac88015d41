"""A large import takes several transactions: it gives way to others, and may be interrupted."""

import asyncio
from typing import Any

import pytest

from keyturn_credentials.errors import CredentialsError
from keyturn_credentials.operations import import_pace
from keyturn_credentials.operations.import_pace import Pace
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import Action, ImportReport
from keyturn_credentials.operations.wiring import Operations
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_shared.clock import SystemClock
from tests.integration.credentials.realm_exports import (
    ACTOR,
    client,
    document,
    stored,
)


async def run(operations: Operations, content: dict[str, Any], pace: Pace) -> ImportReport:
    return await operations.realm_imports.run(ACTOR, content, pace=pace)


@pytest.mark.parametrize("failure", [CredentialsError("the disk is full"), asyncio.CancelledError()])
async def test_an_import_in_steps_that_fails_leaves_no_realm_behind(
    settings: CredentialsSettings, failure: BaseException
) -> None:
    """Nor one that somebody interrupts. Until it is complete the realm serves nobody."""
    seen: list[bool] = []
    content = document(*(client(f"c{number}") for number in range(5)))
    async with stored(settings) as (operations, queries, _):

        async def fail(_: float) -> None:
            seen.append((await queries.realm("acme")).enabled)
            if len(seen) == 2:
                raise failure

        with pytest.raises(type(failure)):
            await run(operations, content, Pace(batch=2, pause=fail))
        assert seen == [False, False]
        assert [realm.name for realm in await queries.realms()] == []

        async def go_on(_: float) -> None:
            seen.append((await queries.realm("acme")).enabled)

        told: list[tuple[int, int]] = []
        report = await run(
            operations, content, Pace(batch=2, pause=go_on, progress=lambda done, of: told.append((done, of)))
        )
        assert (report.count(Action.ADDED), told) == (5, [(2, 5), (4, 5), (5, 5)])
        assert (await queries.realm("acme")).enabled
        assert seen == [False] * 4


async def test_an_import_in_steps_gives_way_to_others_and_keeps_a_disabled_realm_disabled(
    settings: CredentialsSettings,
) -> None:
    """A process that waits for SQLite's lock looks again after at most 100 ms."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    content = document(*(client(f"c{number}") for number in range(3)), enabled=False)
    async with stored(settings) as (operations, queries, _):
        pace = Pace(batch=1, give_way=import_pace.GIVE_WAY_SECONDS, pause=pause)
        report = await run(operations, content, pace)
        assert [line.action for line in report.clients] == [Action.ADDED] * 3
        assert not (await queries.realm("acme")).enabled
    assert pauses == [import_pace.GIVE_WAY_SECONDS] * 2
    assert import_pace.GIVE_WAY_SECONDS > 0.1


async def test_an_import_that_was_interrupted_is_continued_and_writes_nothing_twice(
    settings: CredentialsSettings,
) -> None:
    """A process that is killed cannot delete the realm that it began."""
    content = document(*(client(f"c{number}") for number in range(5)), attributes={})
    seen: list[float] = []

    async def fail_at_the_second(_: float) -> None:
        seen.append(0.0)
        if len(seen) == 2:
            raise asyncio.CancelledError

    async def go_on(_: float) -> None:
        """Take no time."""

    async with stored(settings) as (operations, queries, store):
        imports = operations.realm_imports
        with pytest.raises(asyncio.CancelledError):
            await imports.run(
                ACTOR, content, keep_unfinished=True, pace=Pace(batch=2, pause=fail_at_the_second)
            )
        realm = await queries.realm("acme")
        assert (realm.enabled, realm.attributes["keyturn.import.unfinished"]) == (False, "true")
        planned = await imports.run(ACTOR, content, dry_run=True, pace=Pace(batch=2, pause=go_on))
        assert (planned.count(Action.SKIPPED), planned.count(Action.ADDED)) == (4, 1)
        report = await imports.run(ACTOR, content, pace=Pace(batch=2, pause=go_on))
        assert (report.count(Action.SKIPPED), report.count(Action.ADDED)) == (4, 1)
        completed = await queries.realm("acme")
        assert (completed.id, completed.enabled) == (realm.id, True)
        assert "keyturn.import.unfinished" not in completed.attributes
        assert completed.attributes["access.token.header.type.rfc9068"] == "false"
        before = await DatabaseEventLog(store.database, SystemClock()).head()
        again = await imports.run(ACTOR, content, if_exists=IfExists.SKIP, pace=Pace(batch=2, pause=go_on))
        assert again.count(Action.SKIPPED) == 5
        for _ in range(2):  # the first one writes the settings as the export has them
            overwritten = await imports.run(ACTOR, content, if_exists=IfExists.OVERWRITE)
            assert overwritten.count(Action.OVERWRITTEN) == 5
            after = await DatabaseEventLog(store.database, SystemClock()).head()
        assert after <= before + 1


async def begun(operations: Operations, content: dict[str, Any]) -> None:
    """Interrupt an import after its first step."""

    async def fail(_: float) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await operations.realm_imports.run(
            ACTOR, content, keep_unfinished=True, pace=Pace(batch=2, pause=fail)
        )


async def test_a_continued_import_has_the_settings_of_the_last_export(settings: CredentialsSettings) -> None:
    """They may have become stricter between both runs, and nobody used the realm meanwhile."""
    clients = [client(f"c{number}") for number in range(3)]
    stricter = document(*clients, accessTokenLifespan=60, notBefore=1_700_000_000)
    async with stored(settings) as (operations, queries, store):
        await begun(operations, document(*clients, accessTokenLifespan=3600))
        await begun(operations, stricter)
        realm = await queries.realm("acme")
        assert (realm.access_token_lifespan, realm.is_unfinished, realm.enabled) == (60, True, False)
        log = DatabaseEventLog(store.database, SystemClock())
        before = await log.head()
        await begun(operations, stricter)
        assert await log.head() == before
        await operations.realm_imports.run(ACTOR, stricter)
        realm = await queries.realm("acme")
        assert (realm.access_token_lifespan, realm.not_before) == (60, 1_700_000_000)
        assert (realm.is_unfinished, realm.enabled) == (False, True)


@pytest.mark.parametrize(
    ("if_exists", "action", "is_enabled"),
    [(IfExists.SKIP, Action.SKIPPED, True), (IfExists.OVERWRITE, Action.OVERWRITTEN, False)],
)
async def test_a_continued_import_overwrites_clients_if_it_shall(
    settings: CredentialsSettings, if_exists: IfExists, action: Action, is_enabled: bool
) -> None:
    clients = [client(f"c{number}") for number in range(3)]
    disabled = {**clients[0], "enabled": False}
    async with stored(settings) as (operations, queries, _):
        await begun(operations, document(*clients))
        imports, content = operations.realm_imports, document(disabled, *clients[1:])
        planned = await imports.run(ACTOR, content, if_exists=if_exists, dry_run=True)
        report = await imports.run(ACTOR, content, if_exists=if_exists)
        for each in (planned, report):
            assert [line.action for line in each.clients] == [action, action, Action.ADDED]
        realm = await queries.realm("acme")
        _, found = await queries.client("acme", (await queries.uuids(realm, ["c0"]))["c0"])
        assert found.enabled is is_enabled
