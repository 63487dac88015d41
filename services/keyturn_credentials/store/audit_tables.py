"""The tables of the audit log. ``migrations`` creates them; a test keeps both equal."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from keyturn_credentials.store.tables import metadata

_Name = String(collation="C").with_variant(String(), "sqlite")
_is_chained: Final = text("chain_number IS NOT NULL")
_is_unchained: Final = text("chain_number IS NULL")

audit: Final = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("occurred_at", Double, nullable=False),
    Column("realm_id", String(36), nullable=False),
    Column("action", String(64), nullable=False),
    Column("client_uuid", String(36)),
    Column("client_id", _Name),
    Column("actor_realm", _Name, nullable=False),
    Column("actor_client_id", _Name, nullable=False),
    Column("actor_issuer", _Name),
    Column("actor_subject", _Name),
    Column("actor_name", _Name),
    Column("remote_address", String(64)),
    Column("sequence", BigInteger),
    Column("details", JSON, nullable=False),
    Column("mac", String(96)),
    Column("chain_number", BigInteger),
    Column("chain_previous", LargeBinary),
    Column("chain_standing", Integer),
    Index(None, "realm_id", "id"),
    Index(None, "client_uuid", "id"),
    Index(
        "ux_audit_chain_number",
        "chain_number",
        unique=True,
        postgresql_where=_is_chained,
        sqlite_where=_is_chained,
    ),
    Index(
        "ix_audit_unchained",
        "chain_number",
        "id",
        postgresql_where=_is_unchained,
        sqlite_where=_is_unchained,
    ),
)
"""``mac``: authentication code by the instance that wrote the entry; NULL if an earlier build did. The
columns of the chain are NULL until the entry is added to it in the background (``domain/audit_chain``)."""

audit_chain: Final = Table(
    "audit_chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("base", Text),
    Column("head", Text),
    CheckConstraint("id = 1", name="one_row"),
)
"""Signed statements about the chain, NULL until it begins. Whoever changes the chain locks this row."""

audit_checkpoints: Final = Table(
    "audit_checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("head", Text, nullable=False),
)
"""Earlier heads, one for about a thousand entries: they narrow down what was changed."""
