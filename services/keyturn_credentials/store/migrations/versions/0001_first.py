"""Realms, clients, their credentials, and the event log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NAME = sa.String(collation="C").with_variant(sa.String(), "sqlite")
ID = sa.String(36)
ROWID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _realms()
    _clients()
    _event_log()
    _audit()


def _realms() -> None:
    op.create_table(
        "realms",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", NAME, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("keys_not_before", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "realm_keys",
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
    op.create_index(None, "realm_keys", ["realm_id"])


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("uuid", ID, primary_key=True),
        sa.Column("realm_id", ID, sa.ForeignKey("realms.id", ondelete="CASCADE"), nullable=False),
        sa.Column("client_id", NAME, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("authenticator", sa.String(32), nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("secrets", sa.JSON, nullable=False),
        sa.Column("revoked_keys", sa.JSON, nullable=False),
        sa.Column("keys_not_before", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("realm_id", "client_id"),
    )
    op.create_table(
        "client_attributes",
        sa.Column("client_uuid", ID, sa.ForeignKey("clients.uuid", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("value", NAME, nullable=False),
    )
    op.create_index(None, "client_attributes", ["name", "value", "client_uuid"])


def _event_log() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", ROWID, primary_key=True, autoincrement=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("realm_id", ID),
        sa.Column("client_uuid", ID),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("touches", sa.JSON, nullable=False),
        sa.Column("occurred_at", sa.Double, nullable=False),
    )
    counter = op.create_table(
        "event_counter",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.bulk_insert(counter, [{"id": 1, "value": 0}])
    op.create_table(
        "projections",
        sa.Column("field", NAME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_table(
        "fleet_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("closed_nonce", sa.String(64)),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.create_table(
        "relay_lease",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ROWID, primary_key=True, autoincrement=True),
        sa.Column("occurred_at", sa.Double, nullable=False),
        sa.Column("realm_id", ID, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("client_uuid", ID),
        sa.Column("client_id", NAME),
        sa.Column("actor_realm", NAME, nullable=False),
        sa.Column("actor_client_id", NAME, nullable=False),
        sa.Column("remote_address", sa.String(64)),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("details", sa.JSON, nullable=False),
    )
    op.create_index(None, "audit", ["realm_id", "id"])
    op.create_index(None, "audit", ["client_uuid", "id"])


def downgrade() -> None:
    for table in (
        "audit",
        "relay_lease",
        "fleet_state",
        "projections",
        "event_counter",
        "events",
        "client_attributes",
        "clients",
        "realm_keys",
        "realms",
    ):
        op.drop_table(table)
