"""The revisions of the schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from keyturn_credentials.store import migrate as migrating

SCRIPTS = Path(migrating.__file__).parent / "migrations"


def upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def script_directory() -> ScriptDirectory:
    """Return Alembic's view of all revisions."""
    return ScriptDirectory(str(SCRIPTS))
