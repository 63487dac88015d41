"""The tables for queries. ``migrations`` creates them; a test keeps both equal."""

from typing import Any, Final

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

# Text is ordered by code point everywhere, so that pages are the same on every database and in Python.
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
    Column("token_generation", Integer, nullable=False, server_default="0"),
    # Revision of the build that projected all its clients; a build without this column leaves 0.
    Column("projection_revision", Integer, nullable=False, server_default="0"),
)


def _key_columns() -> tuple[Column[Any] | Index, ...]:
    return (
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


realm_keys: Final = Table("realm_keys", metadata, *_key_columns())
"""Keys for clients, projected with their private halves."""

admin_keys: Final = Table("admin_keys", metadata, *_key_columns())
"""Keys for administrators, in a table of their own: an older build must not mistake them for the others and
give them to the nodes."""

used_assertions: Final = Table(
    "used_assertions",
    metadata,
    Column("owner", String(128), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("forget_at", Double, nullable=False),
    Index(None, "forget_at"),
)
"""Assertions and DPoP proofs used here, by owner and the digest of their ``jti``."""

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
    Column("token_generation", Integer, nullable=False, server_default="0"),
    Column("revoked_tokens", JSON, nullable=False, server_default="{}"),
    Column("service_account", JSON, nullable=False, server_default="{}"),
    Column("own_rotation_at", Double),
    Column("keys_since", Double),
    Column("own_key_rotation_at", Double),
    Column("certificate_ends_at", Double),
    # A copy, and NULL if an earlier build wrote the row.
    Column("service_account_id", _Id),
    UniqueConstraint("realm_id", "client_id"),
    Index(None, "realm_id", "seal_keys", "client_id"),
    Index(None, "realm_id", "service_account_id"),
    *(
        Index(
            f"ix_clients_realm_id_{name}",
            "realm_id",
            name,
            postgresql_where=text(f"{name} IS NOT NULL"),
            sqlite_where=text(f"{name} IS NOT NULL"),
        )
        for name in ("former_secret_ends_at", "keys_since")
    ),
    *(
        Index(
            f"ix_clients_realm_id_{name}_uuid",
            "realm_id",
            name,
            "uuid",
            postgresql_where=text(f"{name} IS NOT NULL"),
            sqlite_where=text(f"{name} IS NOT NULL"),
        )
        for name in ("secret_expires_at", "certificate_ends_at")
    ),
    *(
        Index(
            f"ix_clients_{name}",
            name,
            postgresql_where=text(f"{name} IS NOT NULL"),
            sqlite_where=text(f"{name} IS NOT NULL"),
        )
        for name in ("own_rotation_at", "own_key_rotation_at")
    ),
)
"""A client is one row, so one row lock makes reading and changing it atomic. ``secrets``: encrypted under the
encryption keys; see ``clients.py``. Copies in other columns: the ids of these keys and of the digests'
(``seal_keys``), to find what must be re-encrypted, and the expiry times, to list upcoming ones.
``own_rotation_at``, ``own_key_rotation_at``: when the rotation of the secret, or key, begins by the client's
own policy; NULL without one. ``keys_since``: NULL if an earlier build wrote the row. ``certificate_ends_at``:
end of the certificate that the client authenticates with, filled in the background after an upgrade."""

_is_open: Final = text("is_open")
rotations: Final = Table(
    "rotations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("realm_id", _Id, ForeignKey("realms.id", ondelete="CASCADE"), nullable=False),
    Column("client_uuid", _Id, ForeignKey("clients.uuid", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("hold_until", Double),
    Column("document", JSON, nullable=False),
    Index(
        "ux_rotations_open",
        "client_uuid",
        "kind",
        unique=True,
        postgresql_where=_is_open,
        sqlite_where=_is_open,
    ),
    Index("ix_rotations_next_at", "next_at", postgresql_where=_is_open, sqlite_where=_is_open),
    Index(None, "realm_id", "created_at"),
    Index(None, "client_uuid", "created_at"),
)
"""Rotations of clients' credentials. A client has one open rotation of a kind at most. ``next_at``: when its
conditions are evaluated again. ``hold_until``: of one given up, no other begins by policy before."""


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
"""A copy of the clients' ids, small and rarely written, for finding pages. It has an index of all
three-character parts: ``client_names_parts``, an FTS5 table on SQLite, a GIN index on PostgreSQL."""

client_name_blocks: Final = Table(
    "client_name_blocks",
    metadata,
    Column("realm_id", _Id, nullable=False),
    Column("first_client_id", _Name, nullable=False),
    Column("clients", Integer, nullable=False),
    Column("parts", _Name, nullable=False),
    PrimaryKeyConstraint("realm_id", "first_client_id"),
)
"""Number of clients with ids from ``first_client_id`` up to the next block, and their pieces; see
``page_index.py``. It has no foreign key to a realm: its rows are locked last, and a foreign key would lock
earlier."""

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
"""A copy of short attributes for searching, in the order of the clients' ids."""

role_mappings: Final = Table(
    "role_mappings",
    metadata,
    Column("realm_id", _Id, nullable=False),
    Column("client_id", _Name, nullable=False),
    Column("role_id", _Id, nullable=False),
    PrimaryKeyConstraint("realm_id", "role_id", "client_id"),
    _of_a_client(),
    Index(None, "realm_id", "client_id"),
)
"""A copy of the ids of roles that service accounts were given, for finding who has a role. A deleted role may
be left in it."""

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

log_identity: Final = Table(
    "log_identity",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("identity", _Id, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""The identity in signatures on events and projections. Drawn when the database is created."""

projections: Final = Table(
    "projections",
    metadata,
    Column("field", _Name, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("body", LargeBinary),
)
"""``body`` NULL: deleted at ``sequence``. It contains its signature, unless an earlier build wrote it."""

fleet_state: Final = Table(
    "fleet_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("closed_nonce", String(64)),
    Column("partitioning", String(40), nullable=False, server_default="1"),
    CheckConstraint("id = 1", name="one_row"),
)

partition_epochs: Final = Table(
    "partition_epochs",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
)

relay_lease: Final = Table(
    "relay_lease",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(128), nullable=False),
    Column("expires_at", Double, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

ended_sign_ins: Final = Table(
    "ended_sign_ins",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("ended_at", Double, nullable=False),
    Column("kept_until", Double, nullable=False),
    Index(None, "kept_until"),
)
"""Persons' sign-ins to the console that were completed, their sessions that ended, sessions that the identity
provider ended, its logout tokens, and realms whose tokens were ended: each by a digest."""

write_probe: Final = Table(
    "write_probe",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("filling", LargeBinary, nullable=False),
)
"""Written by readiness on SQLite, to find out whether a change would find space; empty on PostgreSQL."""
