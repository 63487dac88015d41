"""Keys for administrators' tokens, which no node gets, and the assertions used to obtain these tokens.

The keys themselves are generated at the first start, because they are encrypted. Clients that hold admin
roles are marked as written by an earlier build, so that they are projected anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.String(36)


def upgrade() -> None:
    op.create_table(
        "admin_keys",
        sa.Column("kid", sa.String(128), primary_key=True),
        sa.Column("realm_id", ID, sa.ForeignKey("realms.id", ondelete="CASCADE"), nullable=False),
        sa.Column("alg", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("public_jwk", sa.JSON, nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("sealed_private_jwk", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("state_since", sa.Double, nullable=False),
    )
    op.create_index(None, "admin_keys", ["realm_id"])
    op.create_table(
        "used_assertions",
        sa.Column("owner", sa.String(128), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("forget_at", sa.Double, nullable=False),
    )
    op.create_index(None, "used_assertions", ["forget_at"])
    roles = (
        "attributes ->> 'keyturn.admin.roles'"
        if op.get_bind().dialect.name == "postgresql"
        else "json_extract(attributes, '$.\"keyturn.admin.roles\"')"
    )
    op.execute(
        "UPDATE clients SET seal_keys = '?'"  # noqa: S608 - fixed names, no input
        f" WHERE {roles} IS NOT NULL OR realm_id IN (SELECT id FROM realms WHERE name = 'master')"
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
