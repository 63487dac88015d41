"""``make migration NAME=what_changes``: creates the next migration."""

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{2,40}")
_CONTENT: Final = '''"""Say in one sentence what changes, and what the former release does with it."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
alters = ("clients",)


def upgrade() -> None:
    op.add_column("clients", sa.Column("{name}", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
'''


def begin(scripts: Path, name: str) -> Path:
    """Write the file. Raises ValueError unless the name is lower case with underscores, 3 to 41 characters
    long."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a name in lower case with underscores, of 3 to 41 characters")
    (before,) = ScriptDirectory(str(scripts)).get_heads()
    revision = f"{int(before) + 1:04}"
    path = scripts / "versions" / f"{revision}_{name}.py"
    path.write_text(_CONTENT.format(revision=revision, before=before, name=name))
    return path


def main() -> int:
    """Write the file and print its path."""
    parser = argparse.ArgumentParser(prog="migration", description=__doc__)
    parser.add_argument("name", help="for the file, in lower case with underscores")
    try:
        path = begin(Path(__file__).parent, parser.parse_args().name)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(
        f"{path}\nNext: change tables.py to match, and add {path.name[:4]}'s predecessor to REVISIONS.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
