"""The tables of notices. ``migrations`` creates them; a test keeps both equal."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from keyturn_credentials.store.tables import metadata

notices: Final = Table(
    "notices",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("realm_id", String(36), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("code", String(64), nullable=False),
    Column("client_uuid", String(36)),
    Column("opened_at", Double, nullable=False),
    Column("delivery", String(16)),
    Column("document", JSON, nullable=False),
    UniqueConstraint("realm_id", "subject", "code"),
    Index(None, "realm_id", "number"),
    Index(None, "client_uuid"),
)
"""Open notices; a notice that closes is deleted. There is no foreign key: what is deleted has notices until
they are closed, so that the receiver hears of it. ``delivery``: state of the webhook of its opening, NULL if
none was made."""

notice_deliveries: Final = Table(
    "notice_deliveries",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("notice_id", String(36), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index(None, "next_at"),
    Index(None, "notice_id", "number"),
    Index(None, "created_at"),
)
"""Webhooks that are to be sent, in this order for each notice. One that was received, or given up, is
deleted."""

leases: Final = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("expires_at", Double, nullable=False),
)
"""Work that one instance does at a time."""
