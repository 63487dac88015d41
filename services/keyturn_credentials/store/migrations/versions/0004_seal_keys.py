"""Under which keys a client's secrets are sealed, as a column: what a rotation left behind is found by it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # "?": a build before this one wrote the row; it is looked at with those under former keys.
    op.add_column("clients", sa.Column("seal_keys", sa.String(64), nullable=False, server_default="?"))
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    # "1.<key id, 8 characters>.<the rest>", of secrets that are kept, not their digests alone.
    ids = " UNION ".join(
        f"SELECT substr({_member(role, name, on_postgresql)}, 3, 8) AS id"
        f" WHERE {_member(role, 'sealed', on_postgresql)} IS NOT NULL"
        for role in ("current", "rotated")
        for name in ("sealed", "digest")
    )
    joined = "string_agg(id, ' ' ORDER BY id)" if on_postgresql else "group_concat(id, ' ')"
    # Names of ours alone, no input.
    op.execute(
        "UPDATE clients SET seal_keys ="  # noqa: S608
        f" coalesce((SELECT {joined} FROM (SELECT id FROM ({ids}) AS each ORDER BY id) AS ordered), '')"
    )
    op.create_index(None, "clients", ["realm_id", "seal_keys", "client_id"])


def _member(role: str, name: str, on_postgresql: bool) -> str:
    if on_postgresql:
        return f"(clients.secrets -> '{role}' ->> '{name}')"
    return f"json_extract(clients.secrets, '$.{role}.{name}')"


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
