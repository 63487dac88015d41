"""Upgrades the database to this build's schema. One of several instances does the work, the others wait."""

from collections.abc import Set
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.error_causes import cause_of
from keyturn_shared.errors import ConfigurationError

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6B65797475726E  # "keyturn"; any number, but always the same one


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
    """Return the revisions of this build, newest first."""
    return tuple(script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions())


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
            if database.is_postgresql:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade)
    except (DBAPIError, OSError) as error:
        cause = cause_of(error)
        raise ConfigurationError(f"the database cannot be used: {cause.message or cause}") from error


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if _stands_at_newest(connection, config):
        return
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(f"the database was written by a different build: {error}") from error


def _stands_at_newest(connection: Connection, config: Config) -> bool:
    """Return whether there is nothing to do, the usual case at a start, without Alembic's machinery."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return versions == ScriptDirectory.from_config(config).get_heads()
