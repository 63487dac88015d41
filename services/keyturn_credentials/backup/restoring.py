"""Restoring of a backup into a database that nothing uses: all of it, or nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from keyturn_credentials.backup.checking import Checked, check_backup, open_backup, require_fleet_keys
from keyturn_credentials.backup.contents import End, Header, TableShape
from keyturn_credentials.backup.document import Rows, read_parts
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.replacing import (
    Present,
    TableFiller,
    claim_nothing,
    make_schema,
    note_restoration,
    present_in,
)
from keyturn_credentials.backup.tables import shapes_of
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.migrate import Schema, schema_of, upgrade
from keyturn_shared.clock import Clock


class DatabaseNotEmptyError(BackupError):
    """The database has contents, which the backup would replace."""

    code = "database_not_empty"

    def __init__(self, present: Present) -> None:
        super().__init__(present.revision)
        self.present = present


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored backup, and what was replaced by it, if there was anything."""

    checked: Checked
    replaced: Present | None


async def restore_backup(
    settings: CredentialsSettings, file: Path, *, clock: Clock, replace: bool = False, force: bool = False
) -> Restored:
    """Restore a backup into the database of the settings, in one transaction.

    ``replace``: replace what the database has. ``force``: also if secrets that are stored as digests only
    cannot be checked with the configured fleet keys. Raises BackupError, DatabaseNotEmptyError,
    DatabaseInUseError, ConfigurationError, StoreUnavailableError.
    """
    with open_backup(file) as stream:
        checked = check_backup(settings, stream)
        if not force:
            require_fleet_keys(checked.unchecked)
        stream.seek(0)
        async with _alone_with(settings) as connection:
            present = await present_in(connection)
            if present is not None:
                _require_replaceable(present, replace=replace)
            await make_schema(connection, checked.description.header.schema)
            await _fill(connection, stream, checked)
            await connection.run_sync(upgrade)
            await claim_nothing(connection, clock.now())
            await note_restoration(
                connection, settings.encryption_ring(), checked.description.header, clock.now()
            )
    return Restored(checked, None if present is None or present.is_empty else present)


@asynccontextmanager
async def _alone_with(settings: CredentialsSettings) -> AsyncIterator[Connection]:
    database = Database(settings.database_url, pool_size=1)
    try:
        with map_driver_errors():
            async with database.alone() as connection:
                yield connection
    finally:
        await database.close()


def _require_replaceable(present: Present, *, replace: bool) -> None:
    if schema_of({present.revision}) is Schema.NEWER:
        raise BackupError("the database was written by a later release: restore into an empty database")
    if not present.is_empty and not replace:
        raise DatabaseNotEmptyError(present)


async def _fill(connection: Connection, stream: BinaryIO, checked: Checked) -> None:
    filler = TableFiller(connection, await connection.run_sync(shapes_of))
    for part in read_parts(stream):
        match part:
            case TableShape():
                filler.begin(part)
            case Rows():
                await filler.insert(part.table, part.values)
            case End() if part.sha256 != checked.digest:
                raise BackupError("the file changed while it was read")
            case Header() if part != checked.description.header:
                raise BackupError("the file changed while it was read")
    await filler.finish()
