"""Counts of how often all tokens of a client or realm were ended, and individually revoked tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("realms", "clients"):
        op.add_column(table, sa.Column("token_generation", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("clients", sa.Column("revoked_tokens", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
