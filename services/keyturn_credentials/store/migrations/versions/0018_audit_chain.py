"""The chain of the audit log.

Entries that are there are added to it in the background, after the start of this build. A former build writes
entries without a code, which are added as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
alters = ("audit",)

IS_CHAINED = sa.text("chain_number IS NOT NULL")
IS_UNCHAINED = sa.text("chain_number IS NULL")


def upgrade() -> None:
    op.add_column("audit", sa.Column("mac", sa.String(96)))
    op.add_column("audit", sa.Column("chain_number", sa.BigInteger()))
    op.add_column("audit", sa.Column("chain_previous", sa.LargeBinary()))
    op.add_column("audit", sa.Column("chain_standing", sa.Integer()))
    op.create_index(
        "ux_audit_chain_number",
        "audit",
        ["chain_number"],
        unique=True,
        postgresql_where=IS_CHAINED,
        sqlite_where=IS_CHAINED,
    )
    op.create_index(
        "ix_audit_unchained",
        "audit",
        ["chain_number", "id"],
        postgresql_where=IS_UNCHAINED,
        sqlite_where=IS_UNCHAINED,
    )
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("base", sa.Text()),
        sa.Column("head", sa.Text()),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_chain"),
    )
    op.execute("INSERT INTO audit_chain (id) VALUES (1)")
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_checkpoints"),
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
