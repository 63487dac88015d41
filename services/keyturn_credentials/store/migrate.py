"""Upgrades the database to this build's schema. One of several instances does the work, the others wait."""

from collections.abc import Set
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from keyturn_credentials.store.altered_tables import lock_altered
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.error_causes import cause_of
from keyturn_credentials.store.schema_lock import lock_schema
from keyturn_shared.errors import ConfigurationError

_SCRIPTS: Final = Path(__file__).parent / "migrations"


class Schema(Enum):
    """A database's schema compared with this build's: CURRENT fits, OLDER lacks something, NEWER is from a
    build unknown to this one."""

    CURRENT = auto()
    OLDER = auto()
    NEWER = auto()


def schema_of(revisions: Set[str]) -> Schema:
    """Compare a database's revisions with those of this build."""
    known = _revisions()
    if revisions == {known[0]}:
        return Schema.CURRENT
    return Schema.OLDER if revisions <= set(known) else Schema.NEWER


@cache
def _revisions() -> tuple[str, ...]:
    """Return the revisions of this build, newest first: each file's name begins with its own."""
    names = (path.name for path in (_SCRIPTS / "versions").glob("[0-9]*.py"))
    return tuple(sorted((name.partition("_")[0] for name in names), reverse=True))


async def read_schema(database: Database) -> Schema | None:
    """Return the schema of a database, None for an empty one. Raises ConfigurationError."""
    try:
        async with database.reading() as connection:
            revisions = await connection.run_sync(_read_revisions)
    except (DBAPIError, OSError) as error:
        cause = cause_of(error)
        raise ConfigurationError(f"the database cannot be used: {cause.message or cause}") from error
    return schema_of(revisions) if revisions else None


def _read_revisions(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


async def migrate(database: Database) -> None:
    """Upgrade in one transaction. Raises ConfigurationError when the database cannot be used: not reachable,
    not writable, or written by a newer build."""
    try:
        async with database.migrating() as connection:
            await lock_schema(connection)
            await lock_altered(connection, await connection.run_sync(tables_to_alter))
            await connection.run_sync(upgrade)
    except (DBAPIError, OSError) as error:
        cause = cause_of(error)
        raise ConfigurationError(f"the database cannot be used: {cause.message or cause}") from error


def tables_to_alter(connection: Connection) -> set[str]:
    """Return the tables of the database that the missing revisions alter: each names in ``alters`` those that
    are not its own."""
    found = _read_revisions(connection)
    if not found or schema_of(found) is not Schema.OLDER:
        return set()
    from alembic.script import ScriptDirectory

    missing = ScriptDirectory(_location()).iterate_revisions("head", max(found))
    altered = {table for script in missing for table in getattr(script.module, "alters", ())}
    return altered & set(inspect(connection).get_table_names())


def _location() -> str:
    return str(_SCRIPTS).replace("%", "%%")


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Upgrade the schema to a revision of this build within the current transaction, unless there is nothing
    to do: the usual case at a start, for which Alembic is not loaded. Raises ConfigurationError."""
    if _read_revisions(connection) == {_revisions()[0]}:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", _location())
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise ConfigurationError(f"the database was written by a different build: {error}") from error
