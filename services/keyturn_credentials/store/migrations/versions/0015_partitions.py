"""Partitions of used assertions."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
alters = ("fleet_state",)


def upgrade() -> None:
    op.add_column("fleet_state", sa.Column("partitioning", sa.String(40), nullable=False, server_default="1"))
    op.create_table(
        "partition_epochs",
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition", name="pk_partition_epochs"),
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
