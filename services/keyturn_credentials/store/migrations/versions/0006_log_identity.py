"""An identity of the event log, which the signatures on its events and projections cover.

Existing rows stay unsigned: the relay signs them when it reads them, and maintenance stores the signatures.
"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    identity = op.create_table(
        "log_identity",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("identity", sa.String(36), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.bulk_insert(identity, [{"id": 1, "identity": str(uuid.uuid4())}])


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
