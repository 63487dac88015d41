"""The journal of accesses: equal ones together, and no more than the database can take."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations import access_journal
from keyturn_credentials.operations.access_journal import (
    MAX_REFUSED,
    WINDOW_SECONDS,
    Access,
    AccessJournal,
    named,
)
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.unit_of_work import SYSTEM, Actor
from tests.unit.credentials.operations.scene import ACTOR, Asked, Scene, signing_key

SHOWN = Access("secret_shown", ACTOR, "acme", "uuid", "orders")


@pytest.fixture
async def scene(path: Path) -> AsyncIterator[Scene]:
    scene = Scene(path)
    for realm in (Realm("realm-id", "acme"), Realm("master-id", "master")):
        async with scene.store.change(SYSTEM) as transaction:
            await scene.changes.create_realm(
                transaction,
                SYSTEM.principal,
                Asked(),
                realm,
                lambda realm=realm: [signing_key(realm.id, realm.id)],  # type: ignore[misc]  # the realm of now
            )
    yield scene
    await scene.database.close()


@pytest.fixture
def journal(scene: Scene) -> AccessJournal:
    return AccessJournal(scene.store, scene.clock)


async def entries(scene: Scene) -> list[Any]:
    """Return the entries that are not about an event."""
    return await scene.database.find(select(audit).where(audit.c.sequence.is_(None)).order_by(audit.c.id))


def refused(number: int, realm: str = "acme") -> Access:
    return Access("refused", Actor(Principal(realm, "", f"client-{number}", frozenset()), "192.0.2.1"), realm)


async def test_an_access_is_an_entry_with_its_author(scene: Scene, journal: AccessJournal) -> None:
    journal.note(SHOWN)
    await journal.write()
    (entry,) = await entries(scene)
    assert (entry.action, entry.realm_id, entry.client_uuid, entry.client_id) == (
        "secret_shown",
        "realm-id",
        "uuid",
        "orders",
    )
    assert (entry.actor_client_id, entry.remote_address, entry.details) == ("caller", "192.0.2.1", {})


async def test_equal_accesses_have_one_entry_and_one_with_their_number(
    scene: Scene, journal: AccessJournal
) -> None:
    for _ in range(4):
        journal.note(SHOWN)
    await journal.write()
    assert len(await entries(scene)) == 1
    scene.clock.time += WINDOW_SECONDS
    await journal.write()
    assert [entry.details.get("repeated") for entry in await entries(scene)] == [None, 3]
    scene.clock.time += WINDOW_SECONDS
    await journal.write()
    assert len(await entries(scene)) == 2


async def test_a_flood_of_refusals_makes_few_entries_and_keeps_no_other_out(
    scene: Scene, journal: AccessJournal
) -> None:
    for number in range(10 * MAX_REFUSED):
        journal.note_refused(refused(number))
    journal.note(SHOWN)
    await journal.write()
    found = await entries(scene)
    assert len(found) == MAX_REFUSED + 1
    assert found[-1].action == "secret_shown"
    scene.clock.time += WINDOW_SECONDS
    await journal.write()
    journal.note_refused(refused(1))
    await journal.write()
    assert len(await entries(scene)) == MAX_REFUSED + 2


async def test_an_access_to_a_realm_that_is_not_there_is_one_to_master(
    scene: Scene, journal: AccessJournal
) -> None:
    for realm in ("elsewhere", "with\0zero"):
        journal.note_refused(refused(1, realm))
    await journal.write()
    assert [entry.realm_id for entry in await entries(scene)] == ["master-id", "master-id"]


async def test_what_is_left_is_written_at_the_end(scene: Scene, journal: AccessJournal) -> None:
    journal.note(SHOWN)
    journal.note(SHOWN)
    await journal.close()
    assert [entry.details for entry in await entries(scene)] == [{}, {"repeated": 1}]


async def test_entries_that_wait_for_the_database_are_bounded(
    scene: Scene, journal: AccessJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_journal, "MAX_UNWRITTEN", 2)
    for number in range(5):
        journal.note(refused(number))
    await journal.write()
    assert len(await entries(scene)) == 2


def test_a_claimed_name_fits_an_entry() -> None:
    assert named("a\0b" + "c" * 1000) == "ab" + "c" * 253
