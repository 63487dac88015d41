"""Faults of the audit log and its chain: each is found, and nothing else."""

import sqlite3

import pytest
from pydantic import SecretStr

from keyturn.doctor.findings import Area
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.sealing import KeyRing
from tests.integration.doctor.examining import Installation, diagnosed, file_of, reported
from tests.testkit.admin_api import running
from tests.testkit.nodes import TestClock, eventually

_AUDIT = frozenset({Area.AUDIT})
_INSERT = (
    "INSERT INTO audit (occurred_at, realm_id, action, actor_realm, actor_client_id, details)"
    " VALUES (?, 'realm-1', 'planted', 'master', 'ops', '{}')"
)
_DAY = 86_400


@pytest.fixture
async def rested(settings: CredentialsSettings) -> CredentialsSettings:
    """Settings of an installation whose service has ended, so that nothing is mended."""
    async with running(settings) as api:
        await api.create("", {"realm": "acme", "enabled": True})

        async def has_no_more() -> bool:
            waiting = "SELECT count(*) FROM audit WHERE chain_number IS NULL"
            return bool(read(settings, waiting) == 0)

        await eventually(has_no_more)
    return settings


def read(settings: CredentialsSettings, statement: str) -> object:
    with sqlite3.connect(file_of(settings), timeout=30.0) as database:
        return database.execute(statement).fetchone()[0]


def plant(settings: CredentialsSettings, statement: str, *values: object) -> None:
    """Change the database behind everybody's back."""
    with sqlite3.connect(file_of(settings), timeout=30.0) as database:
        database.execute(statement, values)


async def test_a_chain_without_faults_has_no_finding(rested: CredentialsSettings) -> None:
    (report,) = await reported(rested, _AUDIT)
    assert report.findings == []
    assert report.summary == f"chain up to number {read(rested, 'SELECT max(chain_number) FROM audit')}"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_chain",
        "UPDATE audit_chain SET base = NULL, head = NULL",
        "UPDATE audit_chain SET head = NULL",
        "UPDATE audit_chain SET head = 'a head'",
        "UPDATE audit_chain SET head = replace(head, ':1:', ':2:')",
        "UPDATE audit SET action = 'x' WHERE chain_number = (SELECT max(chain_number) FROM audit)",
        "DELETE FROM audit WHERE chain_number = (SELECT max(chain_number) FROM audit)",
        "DELETE FROM audit",
    ],
)
async def test_a_chain_that_is_not_what_was_signed(rested: CredentialsSettings, statement: str) -> None:
    plant(rested, statement)
    assert await diagnosed(rested, _AUDIT) == (["audit_chain_broken"], 1)


async def test_a_chain_of_other_keys(rested: CredentialsSettings) -> None:
    """The database's check is not run; it would report the cause."""
    keys = SecretStr(KeyRing.generate_key())
    assert await diagnosed(rested.model_copy(update={"encryption_keys": keys}), _AUDIT) == (
        ["audit_key_unknown"],
        1,
    )


async def test_an_entry_that_nobody_adds(rested: CredentialsSettings) -> None:
    clock = TestClock()
    plant(rested, _INSERT, clock.now())
    assert await diagnosed(rested, _AUDIT, clock=clock) == ([], 0)
    clock.ahead = 400.0
    assert await diagnosed(rested, _AUDIT, clock=clock) == (["audit_unchained"], 1)


async def test_entries_from_before_the_chain_wait_since_it_began(rested: CredentialsSettings) -> None:
    """An upgrade from a release without a chain has a whole log to add."""
    plant(rested, _INSERT, TestClock().now() - 30 * _DAY)
    assert await diagnosed(rested, _AUDIT) == ([], 0)


async def test_a_chain_that_has_never_begun(rested: CredentialsSettings) -> None:
    plant(rested, "UPDATE audit_chain SET base = NULL, head = NULL")
    plant(rested, "UPDATE audit SET chain_number = NULL, chain_previous = NULL, chain_standing = NULL")
    clock = TestClock()
    clock.ahead = 400.0
    (report,) = await reported(rested, _AUDIT, clock=clock)
    assert [finding.code for finding in report.findings] == ["audit_unchained"]
    assert "has not begun" in report.findings[0].found


async def test_an_entry_that_the_service_suspects(installation: Installation) -> None:
    """Somebody changes an entry before it is part of the chain; the service adds it, and notes that."""
    settings = installation.settings
    newest = "SELECT id FROM audit ORDER BY id DESC LIMIT 1"
    entry = read(settings, newest)
    plant(settings, _INSERT, 1.0)
    plant(settings, "UPDATE audit SET mac = (SELECT mac FROM audit WHERE id = ?) WHERE mac IS NULL", entry)

    async def is_added() -> bool:
        return bool(read(settings, "SELECT count(*) FROM audit WHERE chain_number IS NULL") == 0)

    await eventually(is_added)
    assert await diagnosed(settings) == (["audit_entry_suspect"], 1)
