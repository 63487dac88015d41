"""Revision of the projections of a realm and its clients.

A build that projects more than the previous one must replace the stored projections; earlier builds leave 0.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("projection_revision", sa.Integer(), nullable=False, server_default="0")
    op.add_column("realms", column)


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
