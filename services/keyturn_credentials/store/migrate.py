"""Brings the database to this build's schema. Of several instances one works, the others wait."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from keyturn_credentials.store.engine import Engines
from keyturn_shared.errors import ConfigurationError

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6B65797475726E  # "keyturn"; any number, but always the same one


async def migrate(engines: Engines) -> None:
    """Upgrade in one transaction. Raises ConfigurationError when the database cannot be used: not reachable,
    not writable, or written by a newer build."""
    try:
        async with engines.migrating() as connection:
            if engines.is_postgresql:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade)
    except (DBAPIError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise ConfigurationError(f"the database cannot be used: {cause}") from error


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if _stands_at_newest(connection, config):
        return
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(f"the database was written by another build: {error}") from error


def _stands_at_newest(connection: Connection, config: Config) -> bool:
    """The common case at every start, without Alembic's machinery."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return versions == ScriptDirectory.from_config(config).get_heads()
