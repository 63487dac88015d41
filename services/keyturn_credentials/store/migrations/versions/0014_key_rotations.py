"""Rotations of clients' keys."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("keys_since", "own_key_rotation_at"):
        op.add_column("clients", sa.Column(name, sa.Double()))
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    now = "extract(epoch FROM clock_timestamp())" if is_postgresql else "strftime('%s', 'now')"
    # How old a key is was not known: its age counts from now on.
    op.execute(
        f"UPDATE clients SET keys_since = CAST({now} AS double precision)"  # noqa: S608 - one of two constants
        " WHERE authenticator = 'client-jwt'"
    )
    for index, columns in (
        ("ix_clients_realm_id_keys_since", ["realm_id", "keys_since"]),
        ("ix_clients_own_key_rotation_at", ["own_key_rotation_at"]),
    ):
        is_set = sa.text(f"{columns[-1]} IS NOT NULL")
        op.create_index(index, "clients", columns, postgresql_where=is_set, sqlite_where=is_set)


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
