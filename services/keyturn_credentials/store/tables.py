"""The tables as queries know them. ``migrations`` makes them; a test holds the two equal."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Order of text is by code point everywhere, so that pages are the same on every database and in Python.
_Name = String(collation="C").with_variant(String(), "sqlite")
_Id = String(36)

realms: Final = Table(
    "realms",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("document", JSON, nullable=False),
    Column("keys_not_before", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
)

realm_keys: Final = Table(
    "realm_keys",
    metadata,
    Column("kid", String(128), primary_key=True),
    Column("realm_id", _Id, ForeignKey("realms.id", ondelete="CASCADE"), nullable=False),
    Column("alg", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("public_jwk", JSON, nullable=False),
    Column("certificate", Text, nullable=False),
    Column("sealed_private_jwk", Text),
    Column("created_at", Double, nullable=False),
    Column("state_since", Double, nullable=False),
    Index(None, "realm_id"),
)

clients: Final = Table(
    "clients",
    metadata,
    Column("uuid", _Id, primary_key=True),
    Column("realm_id", _Id, ForeignKey("realms.id", ondelete="CASCADE"), nullable=False),
    Column("client_id", _Name, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("authenticator", String(32), nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("document", JSON, nullable=False),
    Column("secrets", JSON, nullable=False),
    Column("revoked_keys", JSON, nullable=False),
    Column("keys_not_before", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seal_keys", String(64), nullable=False, server_default="?"),
    Column("secret_expires_at", Double),
    Column("former_secret_ends_at", Double),
    UniqueConstraint("realm_id", "client_id"),
    Index(None, "realm_id", "seal_keys", "client_id"),
    *(
        Index(
            f"ix_clients_realm_id_{name}",
            "realm_id",
            name,
            postgresql_where=text(f"{name} IS NOT NULL"),
            sqlite_where=text(f"{name} IS NOT NULL"),
        )
        for name in ("secret_expires_at", "former_secret_ends_at")
    ),
)
"""All that a client is stands in one row, so one row lock makes reading and changing it one step.
``secrets``: sealed under the encryption keys; see ``clients.py``. Beside it stand once more the ids of these
keys and of the digests' (``seal_keys``), for finding what is to be sealed anew, and the times of their ends,
for listing what comes."""


def _of_a_client() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["realm_id", "client_id"],
        ["clients.realm_id", "clients.client_id"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    )


client_names: Final = Table(
    "client_names",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("realm_id", _Id, nullable=False),
    Column("client_id", _Name, nullable=False),
    UniqueConstraint("realm_id", "client_id"),
    _of_a_client(),
)
"""The clients' ids once more, small and seldom written, for finding pages of them. An index of all parts of
three characters belongs to it: ``client_names_parts``, an FTS5 table on SQLite, a GIN index on PostgreSQL."""

client_name_blocks: Final = Table(
    "client_name_blocks",
    metadata,
    Column("realm_id", _Id, nullable=False),
    Column("first_client_id", _Name, nullable=False),
    Column("clients", Integer, nullable=False),
    Column("parts", _Name, nullable=False),
    PrimaryKeyConstraint("realm_id", "first_client_id"),
)
"""How many clients have ids from ``first_client_id`` up to that of the next block, and what these consist of;
see ``name_blocks.py``. It refers to no realm: its rows are locked last of all, and a reference would lock."""

client_attributes: Final = Table(
    "client_attributes",
    metadata,
    Column("realm_id", _Id, nullable=False),
    Column("client_id", _Name, nullable=False),
    Column("name", _Name, nullable=False),
    Column("value", _Name, nullable=False),
    PrimaryKeyConstraint("realm_id", "client_id", "name", name="pk_client_attributes_of_client"),
    _of_a_client(),
    Index(None, "realm_id", "name", "value", "client_id"),
)
"""Short attributes once more, for searching by them, in the order of the clients' ids."""

events: Final = Table(
    "events",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("id", _Id, nullable=False),
    Column("type", String(64), nullable=False),
    Column("realm_id", _Id),
    Column("client_uuid", _Id),
    Column("payload", LargeBinary, nullable=False),
    Column("touches", JSON, nullable=False),
    Column("occurred_at", Double, nullable=False),
)

event_counter: Final = Table(
    "event_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

projections: Final = Table(
    "projections",
    metadata,
    Column("field", _Name, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("body", LargeBinary),
)
"""``body`` NULL: deleted at ``sequence``."""

fleet_state: Final = Table(
    "fleet_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("closed_nonce", String(64)),
    CheckConstraint("id = 1", name="one_row"),
)

relay_lease: Final = Table(
    "relay_lease",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(128), nullable=False),
    Column("expires_at", Double, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("occurred_at", Double, nullable=False),
    Column("realm_id", _Id, nullable=False),
    Column("action", String(64), nullable=False),
    Column("client_uuid", _Id),
    Column("client_id", _Name),
    Column("actor_realm", _Name, nullable=False),
    Column("actor_client_id", _Name, nullable=False),
    Column("remote_address", String(64)),
    Column("sequence", BigInteger),
    Column("details", JSON, nullable=False),
    Index(None, "realm_id", "id"),
    Index(None, "client_uuid", "id"),
)
