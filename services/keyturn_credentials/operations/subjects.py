"""Subjects of trusted issuers, each of which leads to one client."""

from collections.abc import Iterable, Mapping, Sequence

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import ConflictError
from keyturn_credentials.store.unit_of_work import UnitOfWork
from keyturn_shared.projection import Projection, SubjectProjection, decode_subject, projection_value

Pair = tuple[Client | None, Client | None]
"""A client before and after a change."""


def subjects_of(clients: Iterable[Client | None]) -> dict[str, SubjectProjection]:
    """Return the projections by which the subjects of these clients lead to them, by field."""
    return {
        field: SubjectProjection(realm_id=client.realm_id, client_id=client.client_id)
        for client in clients
        if client is not None and (field := client.subject_field) is not None
    }


def changed_subjects(
    before: Client | None, after: Client | None, subjects: Mapping[str, SubjectProjection]
) -> dict[str, Projection | None]:
    """Return the projections that a change of a client adds or deletes (None). ``subjects``: of all clients
    that change with it, one of which may take the subject that another one gives up."""
    former = None if before is None else before.subject_field
    field = None if after is None else after.subject_field
    is_same = former == field and before is not None and after is not None
    changed: dict[str, Projection | None] = {}
    if former is not None and former not in subjects:
        changed[former] = None
    if field is not None and not (is_same and before and after and before.client_id == after.client_id):
        changed[field] = subjects[field]
    return changed


async def require_free_subjects(transaction: UnitOfWork, realm: Realm, changes: Sequence[Pair]) -> None:
    """Raise ConflictError if two clients would have one subject: an assertion about it would be ambiguous.

    Call it after a stamp was taken, so that no other change can be committed meanwhile.
    """
    changing = {before.client_id for before, _ in changes if before is not None}
    taken: dict[str, str] = {}
    for before, after in changes:
        field = None if after is None else after.subject_field
        if after is None or field is None:
            continue
        owner = taken.setdefault(field, after.client_id)
        if owner == after.client_id and (before is None or before.subject_field != field):
            owner = await _owner_of(transaction, realm, field, changing) or owner
        if owner != after.client_id:
            raise ConflictError(
                f"client {owner} has this identity provider and subject already: set another one for"
                f" {after.client_id}"
            )


async def _owner_of(transaction: UnitOfWork, realm: Realm, field: str, changing: Iterable[str]) -> str | None:
    """Return the client that has the subject and keeps it, if any."""
    body = await transaction.projection(field)
    if body is None:
        return None
    owner = decode_subject(projection_value(0, body))[1].client_id
    if owner in changing:
        return None  # it gives the subject up, or else is found among the changes
    client = await transaction.clients.find(realm.id, owner)
    return owner if client is not None and client.subject_field == field else None
