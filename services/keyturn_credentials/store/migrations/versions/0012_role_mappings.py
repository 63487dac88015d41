"""Clients by the ids of their service accounts and of the roles that these were given.

Both are copies of what ``service_account`` has. They are filled in the background, by the reprojection that
follows an upgrade; a client without ``service_account_id`` was written by an earlier build.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NAME = sa.String(collation="C").with_variant(sa.String(), "sqlite")


def upgrade() -> None:
    op.add_column("clients", sa.Column("service_account_id", sa.String(36)))
    op.create_index("ix_clients_realm_id_service_account_id", "clients", ["realm_id", "service_account_id"])
    op.create_table(
        "role_mappings",
        sa.Column("realm_id", sa.String(36), nullable=False),
        sa.Column("client_id", _NAME, nullable=False),
        sa.Column("role_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "role_id", "client_id", name="pk_role_mappings"),
        sa.ForeignKeyConstraint(
            ["realm_id", "client_id"],
            ["clients.realm_id", "clients.client_id"],
            name="fk_role_mappings_realm_id_client_id",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_role_mappings_realm_id_client_id", "role_mappings", ["realm_id", "client_id"])


def downgrade() -> None:
    raise RuntimeError("restore a backup of the version before")
