"""Expiry of secrets as columns, so that upcoming ones can be listed without reading every client."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = {"secret_expires_at": "current", "former_secret_ends_at": "rotated"}


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for column, role in _COLUMNS.items():
        op.add_column("clients", sa.Column(column, sa.Double))
        kept = (
            f"CAST(secrets -> '{role}' ->> 'expires_at' AS double precision)"
            if on_postgresql
            else f"json_extract(secrets, '$.{role}.expires_at')"
        )
        filled = f"UPDATE clients SET {column} = {kept} WHERE {kept} IS NOT NULL"  # noqa: S608 - fixed names
        op.execute(filled)
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_clients_realm_id_{column}",
            "clients",
            ["realm_id", column],
            postgresql_where=there,
            sqlite_where=there,
        )
