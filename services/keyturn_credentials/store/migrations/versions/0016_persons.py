"""Persons as authors in the audit log, and their ended sign-ins to the console."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
alters = ("audit",)

NAME = sa.String(collation="C").with_variant(sa.String(), "sqlite")


def upgrade() -> None:
    for name in ("actor_issuer", "actor_subject", "actor_name"):
        op.add_column("audit", sa.Column(name, NAME))
    op.create_table(
        "ended_sign_ins",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("kept_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ended_sign_ins"),
    )
    op.create_index("ix_ended_sign_ins_kept_until", "ended_sign_ins", ["kept_until"])


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
