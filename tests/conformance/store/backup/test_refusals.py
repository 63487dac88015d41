"""A backup that cannot be restored is refused, and changes nothing."""

import io
from pathlib import Path

import pytest
from sqlalchemy import text

from keyturn_credentials.backup.contents import Header, TableShape
from keyturn_credentials.backup.document import BackupWriter, Rows, read_parts
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.key_needs import KeyNeeds
from keyturn_credentials.backup.restoring import DatabaseNotEmptyError
from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.sole_use import DatabaseInUseError, require_no_instance
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from tests.conformance.store.backup.conftest import back_up, contents_now, octets_of, put, restore
from tests.conformance.store.conftest import ACTOR, Instance, instance_of


@pytest.fixture
def other_url(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a second, empty database of the same kind: a refusal does not depend on the source's."""
    if database_url.startswith("sqlite"):
        return f"sqlite+aiosqlite:///{tmp_path}/other.db"
    url: str = request.getfixturevalue("another_postgres_url")
    return url


def rewritten(file: Path, settings: CredentialsSettings, **changes: str) -> None:
    """Write a backup again, whole and sealed, with other values in its header, and each row of ``realms``
    twice if ``twice`` names that table."""
    twice = changes.pop("twice", "")
    stream, needs = io.BytesIO(), KeyNeeds()
    writer: BackupWriter | None = None
    with file.open("rb") as source:
        for part in read_parts(source):
            if isinstance(part, Header):
                values = {name: getattr(part, name) for name in Header.__struct_fields__} | changes
                writer = BackupWriter(stream, Header(**values))
            assert writer is not None
            if isinstance(part, TableShape):
                writer.begin_table(part)
            if isinstance(part, Rows):
                rows = part.values * (2 if part.table.name == twice else 1)
                needs.note(Rows(part.table, rows))
                writer.write_rows(rows)
    assert writer is not None
    writer.finish(needs.summary(writer.rows), settings.encryption_ring())
    file.write_bytes(stream.getvalue())


async def test_contents_are_not_lost_unawares(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    await restore(target, file)
    before = await contents_now(target)
    with pytest.raises(DatabaseNotEmptyError) as refused:
        await restore(target, file)
    present = refused.value.present
    assert (present.realms, present.clients, present.head) == (2, 13, await filled.log.head())
    assert await contents_now(target) == before


async def test_a_restoration_that_fails_at_a_row_leaves_what_was_there(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    await restore(target, file)
    before = await contents_now(target)
    rewritten(file, filled.settings, twice="realms")
    with pytest.raises(StoreUnavailableError, match="a row breaks a constraint"):
        await restore(target, file, replace=True)
    assert await contents_now(target) == before


async def test_a_restoration_into_nothing_that_fails_leaves_nothing(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    whole = octets_of(file) or b""
    rewritten(file, filled.settings, twice="projections")
    with pytest.raises(StoreUnavailableError):
        await restore(target, file)
    put(file, whole)
    assert (await restore(target, file)).replaced is None


async def test_a_damaged_or_altered_file_is_refused(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    whole = octets_of(file) or b""
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]):
        put(file, damaged)
        with pytest.raises(BackupError):
            await restore(target, file)
    foreign = target.model_copy(
        update={"encryption_keys": type(target.encryption_keys)(KeyRing.generate_key())}
    )
    put(file, whole)
    rewritten(file, foreign)
    with pytest.raises(BackupError, match="KEYTURN_ENCRYPTION_KEYS lacks key"):
        await restore(target, file)


async def test_a_backup_of_a_later_release_names_the_release(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    rewritten(file, filled.settings, schema="9999", release="12.0.0")
    with pytest.raises(BackupError, match=r"restore it with release 12\.0\.0"):
        await restore(target, file)


async def test_tables_that_do_not_fit_the_schema_are_refused(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    rewritten(file, filled.settings, schema="0012")
    with pytest.raises(BackupError, match="with the columns of the backup"):
        await restore(target, file)


async def test_keys_that_are_needed_must_be_there(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    secret = type(target.encryption_keys)
    former = target.encryption_keys.get_secret_value()
    with pytest.raises(BackupError, match="KEYTURN_ENCRYPTION_KEYS lacks key"):
        await restore(target.model_copy(update={"encryption_keys": secret(KeyRing.generate_key())}), file)
    both = secret(f"{KeyRing.generate_key()},{former}")
    await restore(target.model_copy(update={"encryption_keys": both}), file)


async def test_secrets_that_are_digests_need_their_fleet_key(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    digests = {"realm": "sealed", "attributes": {"keyturn.secret.digest-only": "true"}}
    await filled.operations.realms.create(ACTOR, digests)
    await filled.operations.clients.create(ACTOR, "sealed", {"clientId": "orders"})
    await filled.operations.maintenance.forget_secrets()
    await back_up(filled.settings, file)
    without = target.model_copy(update={"fleet_keys": type(target.fleet_keys)(KeyRing.generate_key())})
    with pytest.raises(BackupError, match=r"1 in realm sealed under key .*--force"):
        await restore(without, file)
    (unchecked,) = (await restore(without, file, force=True)).checked.unchecked
    assert (unchecked.realm, unchecked.secrets) == ("sealed", 1)
    await restore(target, file, replace=True)


async def test_a_database_that_is_in_use_is_left_alone(filled: Instance, file: Path) -> None:
    await back_up(filled.settings, file)
    before = await contents_now(filled.settings)
    with pytest.raises(DatabaseInUseError, match="stop every credentials process"):
        await restore(filled.settings, file, replace=True, force=True)
    assert await contents_now(filled.settings) == before
    await filled.operations.realms.create(ACTOR, {"realm": "later"})
    await filled.database.close()
    assert (await restore(filled.settings, file, replace=True)).replaced is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_lease_that_a_relay_renews_shows_through_a_pooler(filled: Instance) -> None:
    await filled.log.acquire_relay_lease("killed", 30.0)
    waited = []

    async def renew(seconds: float) -> None:
        waited.append(seconds)
        await filled.log.acquire_relay_lease("killed", 30.0)

    async def expire(seconds: float) -> None:
        waited.append(seconds)
        await filled.log.release_relay_lease("killed")

    async with filled.database.writing() as connection:
        with pytest.raises(DatabaseInUseError):
            await require_no_instance(connection, "no session has this name", sleep=renew)
        await require_no_instance(connection, "no session has this name", sleep=expire)
    assert waited == [5.2, 5.2]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_tables_of_others_stay(filled: Instance, file: Path) -> None:
    async with filled.database.writing() as connection:
        await connection.execute(text("CREATE TABLE theirs (a integer)"))
    await back_up(filled.settings, file)
    await filled.database.close()
    await restore(filled.settings, file, replace=True)
    again = instance_of(filled.settings)
    async with again.database.writing() as connection:
        await connection.execute(text("INSERT INTO theirs VALUES (1)"))
    await again.database.close()


async def test_only_this_releases_database_is_backed_up(instance: Instance, file: Path) -> None:
    async with instance.database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))
    with pytest.raises(BackupError, match="an earlier release"):
        await back_up(instance.settings, file)
    async with instance.database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BackupError, match="a later release"):
        await back_up(instance.settings, file)
    assert octets_of(file) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_damaged_database_is_not_backed_up(filled: Instance, file: Path, tmp_path: Path) -> None:
    await filled.database.close()
    damage(tmp_path / "keyturn.db")
    with pytest.raises((BackupError, StoreUnavailableError), match="damaged"):
        await back_up(filled.settings, file)
    assert octets_of(file) is None


def damage(database: Path) -> None:
    """Overwrite the middle of a file."""
    octets = bytearray(database.read_bytes())
    middle = len(octets) // 2
    octets[middle : middle + 4096] = b"\xa5" * 4096
    database.write_bytes(octets)


async def test_an_empty_database_is_not_backed_up(target: CredentialsSettings, file: Path) -> None:
    with pytest.raises((BackupError, ConfigurationError), match=r"is empty|there is no database"):
        await back_up(target, file)


async def test_a_backup_is_not_replaced_unawares(filled: Instance, file: Path) -> None:
    put(file, b"another")
    with pytest.raises(ConfigurationError, match="--force"):
        await back_up(filled.settings, file)
    assert octets_of(file) == b"another"
    await back_up(filled.settings, file, replace=True)
    assert (octets_of(file) or b"").startswith(b"keyturn-backup 1\n")


async def test_keys_of_the_service_are_needed_to_make_one(filled: Instance, file: Path) -> None:
    other = type(filled.settings.encryption_keys)(KeyRing.generate_key())
    with pytest.raises(ConfigurationError, match="set the keys that the service has"):
        await back_up(filled.settings.model_copy(update={"encryption_keys": other}), file)
    assert list(file.parent.glob("*backup*")) == []
    assert list(file.parent.glob(".*")) == []
