"""Faults of a real SQLite: each is found, and nothing else."""

import json
import sqlite3

import pytest
from pydantic import SecretStr

from keyturn.doctor.findings import Area
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.sealing import KeyRing
from tests.integration.doctor.examining import Installation, diagnosed, file_of, reported

_DATABASE = frozenset({Area.DATABASE})
_REVISION = "SELECT version_num FROM alembic_version"


def with_keys(settings: CredentialsSettings, *, first: str = "", last: str = "") -> CredentialsSettings:
    own = settings.encryption_keys.get_secret_value()
    text = ",".join(key for key in (first, own, last) if key)
    return settings.model_copy(update={"encryption_keys": SecretStr(text)})


async def test_a_file_that_is_not_there(settings: CredentialsSettings) -> None:
    assert await diagnosed(settings, _DATABASE) == (["database_unreachable"], 1)
    assert not file_of(settings).exists()


async def test_a_file_that_is_no_database(settings: CredentialsSettings) -> None:
    file_of(settings).write_bytes(b"not a database" * 100)
    assert await diagnosed(settings, _DATABASE) == (["database_unreachable"], 1)


async def test_a_database_without_tables(settings: CredentialsSettings) -> None:
    sqlite3.connect(file_of(settings)).execute("PRAGMA user_version = 1")
    assert await diagnosed(settings, _DATABASE) == (["database_empty"], 1)


@pytest.mark.parametrize(
    ("revision", "code"), [("0001", "database_schema_older"), ("9999", "database_schema_newer")]
)
async def test_a_schema_of_another_release(installation: Installation, revision: str, code: str) -> None:
    with sqlite3.connect(file_of(installation.settings)) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    assert await diagnosed(installation.settings, _DATABASE) == ([code], 1)
    with sqlite3.connect(file_of(installation.settings)) as database:
        assert database.execute(_REVISION).fetchall() == [(revision,)]


async def test_a_lock_that_another_process_holds(installation: Installation) -> None:
    database = sqlite3.connect(file_of(installation.settings), isolation_level=None, timeout=30.0)
    database.execute("BEGIN IMMEDIATE")
    try:
        assert await diagnosed(installation.settings, _DATABASE, seconds=4.0) == (["database_locked"], 1)
    finally:
        database.execute("ROLLBACK")
        database.close()


async def test_a_missing_encryption_key(installation: Installation) -> None:
    wrong = installation.settings.model_copy(update={"encryption_keys": SecretStr(KeyRing.generate_key())})
    assert await diagnosed(wrong) == (["database_key_missing"], 1)


async def test_a_former_key_that_is_needed_is_named_by_its_fingerprint(installation: Installation) -> None:
    changed = with_keys(installation.settings, first=KeyRing.generate_key())
    (report,) = await reported(changed, _DATABASE)
    (finding,) = [each for each in report.findings if each.code != "database_slow"]
    assert finding.code == "database_key_former"
    assert installation.settings.encryption_ring().current_key_id in finding.found


async def test_a_key_that_nothing_needs(installation: Installation) -> None:
    changed = with_keys(installation.settings, last=KeyRing.generate_key())
    assert await diagnosed(changed, _DATABASE) == (["database_key_unused"], 0)


async def test_a_missing_fleet_key(installation: Installation) -> None:
    await installation.api.create(
        "/acme/clients", {"clientId": "orders", "secret": "a-secret-long-enough-123456"}
    )
    keys = SecretStr(KeyRing.generate_key())
    wrong = installation.settings.model_copy(update={"fleet_keys": keys})
    assert await diagnosed(wrong, _DATABASE) == (["database_fleet_key_missing"], 1)


@pytest.mark.parametrize("written", ["", "no seal", 5])
async def test_a_secret_that_was_altered_hides_no_key(installation: Installation, written: object) -> None:
    await installation.api.create("/acme/clients", {"clientId": "orders"})
    with sqlite3.connect(file_of(installation.settings)) as database:
        ((text,),) = database.execute("SELECT secrets FROM clients WHERE client_id = 'orders'").fetchall()
        secrets = json.loads(text)
        secrets["current"]["sealed"] = written
        database.execute("UPDATE clients SET secrets = ?", (json.dumps(secrets),))
    assert await diagnosed(installation.settings, _DATABASE) == ([], 0)
    needless = with_keys(installation.settings, last=KeyRing.generate_key())
    assert await diagnosed(needless, _DATABASE) == (["database_key_unused"], 0)
