"""Ids that realms and clients had: verifiers may still know them by these."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, select

from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import projections
from keyturn_shared.events import ClientDeleted
from keyturn_shared.projection import SUBJECT_PREFIX, client_field

_CLIENT_DELETED: Final = str(ClientDeleted.__struct_config__.tag)


async def has_used(connection: Connection, realm_id: str) -> bool:
    """Return whether a realm with this id has clients, or was deleted."""
    wanted = select(projections.c.field).where(*of_clients_of(realm_id)).limit(1)
    return (await connection.execute(wanted)).first() is not None


async def deleted_since(
    connection: Connection, realm_id: str, uuids: Collection[str], since: float
) -> set[str]:
    """Return the ids of clients that were deleted from this realm after ``since`` (NumericDate seconds)."""
    wanted = select(audit.c.client_uuid).where(
        audit.c.client_uuid.in_(uuids),
        audit.c.realm_id == realm_id,
        audit.c.action == _CLIENT_DELETED,
        audit.c.occurred_at >= since,
    )
    return set((await connection.execute(wanted)).scalars())


def of_clients_of(realm_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on projections of a realm's clients."""
    return _beginning_with(client_field(realm_id, ""))


def of_subjects_of(realm_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on projections of subjects that lead to a realm's clients."""
    return _beginning_with(f"{SUBJECT_PREFIX}{realm_id}:")


def _beginning_with(prefix: str) -> tuple[ColumnElement[bool], ...]:
    return projections.c.field >= prefix, projections.c.field < f"{prefix}\U0010ffff"
