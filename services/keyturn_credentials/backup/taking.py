"""Making of a backup, while the service runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection as SynchronousConnection

from keyturn_credentials.backup.contents import Header, Summary
from keyturn_credentials.backup.document import BackupWriter, Rows
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.key_needs import KeyNeeds, missing_encryption_keys
from keyturn_credentials.backup.new_file import new_file
from keyturn_credentials.backup.snapshot import log_state, require_integrity, rows_of
from keyturn_credentials.backup.tables import revision_of, shapes_of
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.database_url import require_database_file
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.migrate import Schema, schema_of
from keyturn_shared.clock import Clock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing


@dataclass(frozen=True, slots=True)
class Description:
    """The description that a backup has of itself. ``octets``: its size."""

    header: Header
    summary: Summary
    octets: int


async def take_backup(
    settings: CredentialsSettings, file: Path, *, release: str, clock: Clock, replace: bool = False
) -> Description:
    """Write one state of the database to a file with mode 0600, which appears only when it is complete.

    Raises BackupError, ConfigurationError if there is no such database or the file is there already (unless
    ``replace``), and StoreUnavailableError.
    """
    require_database_file(settings.database_url)
    database = Database(settings.database_url, pool_size=1)
    try:
        with new_file(file, replace=replace) as stream, map_driver_errors():
            async with database.snapshot() as connection:
                await _require_our_schema(connection)
                await require_integrity(connection)
                header, summary = await write_backup(
                    connection, stream, settings.encryption_ring(), release=release, now=clock.now()
                )
            return Description(header, summary, stream.tell())
    finally:
        await database.close()


async def write_backup(
    connection: Connection, stream: BinaryIO, ring: KeyRing, *, release: str, now: float
) -> tuple[Header, Summary]:
    """Write the state that a connection sees, of any revision. Raises BackupError, ConfigurationError."""
    revision = await connection.run_sync(revision_of)
    assert revision is not None  # noqa: S101 - checked by the caller
    header = Header(release, revision, now, connection.dialect.name, await log_state(connection))
    writer = BackupWriter(stream, header)
    needs = KeyNeeds()
    for shape in await connection.run_sync(shapes_of):
        writer.begin_table(shape)
        async for values in rows_of(connection, shape):
            needs.note(Rows(shape, values))
            writer.write_rows(values)
    summary = needs.summary(writer.rows)
    missing = missing_encryption_keys(summary, ring)
    if missing:
        raise ConfigurationError(
            f"KEYTURN_ENCRYPTION_KEYS lacks {', '.join(missing)} (a key's id, not the key), which sealed data"
            " of this database: set the keys that the service has"
        )
    writer.finish(summary, ring)
    return header, summary


async def _require_our_schema(connection: Connection) -> None:
    match await connection.run_sync(_schema_in):
        case Schema.CURRENT:
            pass
        case None:
            raise BackupError("the database is empty: there is nothing to back up")
        case Schema.OLDER:
            raise BackupError(
                "the database was written by an earlier release: back it up with that release, or start the"
                " credentials service of this release first"
            )
        case Schema.NEWER:
            raise BackupError("the database was written by a later release: back it up with that release")


def _schema_in(connection: SynchronousConnection) -> Schema | None:
    revision = revision_of(connection)
    return None if revision is None else schema_of({revision})
