"""Notices, their webhooks, and the ends of certificates.

The ends of certificates are filled in the background, after the start of this build.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
alters = ("clients",)


def upgrade() -> None:
    op.add_column("clients", sa.Column("certificate_ends_at", sa.Double()))
    op.drop_index("ix_clients_realm_id_secret_expires_at", "clients")
    for name in ("secret_expires_at", "certificate_ends_at"):
        is_set = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_clients_realm_id_{name}_uuid",
            "clients",
            ["realm_id", name, "uuid"],
            postgresql_where=is_set,
            sqlite_where=is_set,
        )
    _create_notices()
    _create_deliveries()
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def _create_notices() -> None:
    op.create_table(
        "notices",
        _number(),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("realm_id", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("client_uuid", sa.String(36)),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("delivery", sa.String(16)),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notices"),
        sa.UniqueConstraint("id", name="uq_notices_id"),
        sa.UniqueConstraint("realm_id", "subject", "code", name="uq_notices_realm_id_subject_code"),
    )
    op.create_index("ix_notices_realm_id_number", "notices", ["realm_id", "number"])
    op.create_index("ix_notices_client_uuid", "notices", ["client_uuid"])


def _create_deliveries() -> None:
    op.create_table(
        "notice_deliveries",
        _number(),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("notice_id", sa.String(36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notice_deliveries"),
        sa.UniqueConstraint("id", name="uq_notice_deliveries_id"),
    )
    op.create_index("ix_notice_deliveries_next_at", "notice_deliveries", ["next_at"])
    op.create_index("ix_notice_deliveries_notice_id_number", "notice_deliveries", ["notice_id", "number"])
    op.create_index("ix_notice_deliveries_created_at", "notice_deliveries", ["created_at"])


def _number() -> sa.Column[int]:
    return sa.Column(
        "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
