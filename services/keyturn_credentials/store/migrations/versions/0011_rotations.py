"""Rotations of clients' credentials."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("own_rotation_at", sa.Double()))
    is_planned = sa.text("own_rotation_at IS NOT NULL")
    op.create_index(
        "ix_clients_own_rotation_at",
        "clients",
        ["own_rotation_at"],
        postgresql_where=is_planned,
        sqlite_where=is_planned,
    )
    is_open = sa.text("is_open")
    op.create_table(
        "rotations",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("realm_id", sa.String(36), nullable=False),
        sa.Column("client_uuid", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("hold_until", sa.Double()),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rotations"),
        sa.ForeignKeyConstraint(
            ["realm_id"], ["realms.id"], name="fk_rotations_realm_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_uuid"], ["clients.uuid"], name="fk_rotations_client_uuid", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ux_rotations_open",
        "rotations",
        ["client_uuid", "kind"],
        unique=True,
        postgresql_where=is_open,
        sqlite_where=is_open,
    )
    op.create_index(
        "ix_rotations_next_at", "rotations", ["next_at"], postgresql_where=is_open, sqlite_where=is_open
    )
    op.create_index("ix_rotations_realm_id_created_at", "rotations", ["realm_id", "created_at"])
    op.create_index("ix_rotations_client_uuid_created_at", "rotations", ["client_uuid", "created_at"])


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
