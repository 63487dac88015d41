"""Keys that encrypt a client's secrets, as a column, to find what a rotation left behind."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # "?": an earlier build wrote the row; it is checked together with those under former keys.
    op.add_column("clients", sa.Column("seal_keys", sa.String(64), nullable=False, server_default="?"))
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    # "1.<key id, 8 characters>.<the rest>", of stored secrets, not of digests.
    ids = " UNION ".join(
        f"SELECT substr({_member(role, name, on_postgresql)}, 3, 8) AS id"
        f" WHERE {_member(role, 'sealed', on_postgresql)} IS NOT NULL"
        for role in ("current", "rotated")
        for name in ("sealed", "digest")
    )
    joined = "string_agg(id, ' ' ORDER BY id)" if on_postgresql else "group_concat(id, ' ')"
    op.execute(
        "UPDATE clients SET seal_keys ="  # noqa: S608 - fixed names, no input
        f" coalesce((SELECT {joined} FROM (SELECT id FROM ({ids}) AS each ORDER BY id) AS ordered), '')"
    )
    op.create_index(None, "clients", ["realm_id", "seal_keys", "client_id"])


def _member(role: str, name: str, on_postgresql: bool) -> str:
    if on_postgresql:
        return f"(clients.secrets -> '{role}' ->> '{name}')"
    return f"json_extract(clients.secrets, '$.{role}.{name}')"


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
