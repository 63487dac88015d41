"""Writing a change of a client or a realm with its projection and its event."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from keyturn_credentials.domain.client import MAX_TOKEN_LIFESPAN, Client
from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import ForbiddenError, NotFoundError, PreconditionFailedError
from keyturn_credentials.store.together import find_for_change
from keyturn_credentials.store.transaction import Stamp, Transaction
from keyturn_shared.events import Event
from keyturn_shared.projection import Projection, client_field, realm_field

Value = TypeVar("Value")

_NO_CLIENT: Final = "Could not find client"
_CLOCKS_APART: Final = 600
"""Seconds, more than the clocks of this service and the verifiers differ by."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """A committed change: the sequence of its event, and what came of it."""

    sequence: int
    value: Value


def require_realm(realm: Realm | None) -> Realm:
    if realm is None:
        raise NotFoundError("Realm not found.")
    return realm


def require_client(client: Client | None) -> Client:
    if client is None:
        raise NotFoundError(_NO_CLIENT)
    return client


async def require_for_change(
    transaction: Transaction,
    realm_name: str,
    client_uuid: str,
    *,
    expected: frozenset[int] | None = None,
) -> tuple[Realm, Client]:
    """Realm and client; until the transaction ends nobody else changes this client. ``expected``: versions
    the caller has seen (If-Match). Raises NotFoundError, PreconditionFailedError."""
    found = await find_for_change(transaction, realm_name, client_uuid)
    if found is None:
        require_realm(await transaction.realms.get(realm_name))
        raise NotFoundError(_NO_CLIENT)
    require_version(found[1].version, expected)
    return found


def require_version(version: int, expected: frozenset[int] | None) -> None:
    """Raise PreconditionFailedError unless this is a version the caller has seen; None: it does not care."""
    if expected is not None and version not in expected:
        raise PreconditionFailedError("it was changed meanwhile; read it again")


def require_power_over(principal: Principal, realm: Realm, *clients: Client) -> None:
    """Raise ForbiddenError unless the caller holds all roles that these clients hold."""
    for client in clients:
        if client.admin_roles and not principal.may_act_on(client.admin_roles, realm.name):
            raise ForbiddenError("this client has admin roles that the caller does not have")


async def with_id_of_its_own(
    transaction: Transaction, client: Client, representation: Mapping[str, Any]
) -> Client:
    """A new client, with another id where it brings that of a deleted one, as from an export: access tokens
    go by the id, and those of the deleted client may be good until they expire."""
    if not representation.get("id"):
        return client
    since = transaction.now - MAX_TOKEN_LIFESPAN - _CLOCKS_APART
    if await transaction.has_deleted(client.realm_id, client.uuid, since=since):
        return replace(client, uuid=str(uuid.uuid4()))
    return client


async def record_client(
    transaction: Transaction,
    projector: Projector,
    event_type: Callable[..., Event],
    realm: Realm,
    *,
    before: Client | None = None,
    after: Client | None = None,
    stamp: Stamp | None = None,
    details: Mapping[str, Any] | None = None,
    **members: Any,
) -> int:
    """Append an event about one client; its sequence. ``members`` are those of this type of event alone."""
    changed: dict[str, Projection | None] = {}
    if before is not None and (after is None or after.client_id != before.client_id):
        changed[client_field(realm.id, before.client_id)] = None
    if after is not None:
        changed[client_field(realm.id, after.client_id)] = projector.project_client(after)
    subject = after or before
    assert subject is not None, "an event about a client has one"  # noqa: S101 - both None is a mistake in code
    stamp = stamp or await transaction.stamp()
    event = event_type(
        sequence=stamp.sequence,
        id=stamp.id,
        occurred_at=stamp.occurred_at,
        touches=tuple(changed),
        realm_id=realm.id,
        realm=realm.name,
        client_uuid=subject.uuid,
        client_id=subject.client_id,
        **members,
    )
    await transaction.append(
        event,
        changed,
        realm_id=realm.id,
        client_uuid=subject.uuid,
        client_id=subject.client_id,
        details=details,
    )
    return stamp.sequence


async def record_realm(
    transaction: Transaction,
    projector: Projector,
    event_type: Callable[..., Event],
    *,
    before: Realm | None = None,
    after: Realm | None = None,
    keys: list[RealmKey] | None = None,
    stamp: Stamp | None = None,
    details: Mapping[str, Any] | None = None,
    **members: Any,
) -> int:
    """Append an event about a realm; its sequence. ``keys`` are the signing keys of ``after``."""
    changed: dict[str, Projection | None] = {}
    if before is not None and (after is None or after.name != before.name):
        changed[realm_field(before.name)] = None
    if after is not None:
        changed[realm_field(after.name)] = projector.project_realm(after, keys or ())
    subject = after or before
    assert subject is not None, "an event about a realm has one"  # noqa: S101 - both None is a mistake in code
    stamp = stamp or await transaction.stamp()
    event = event_type(
        sequence=stamp.sequence,
        id=stamp.id,
        occurred_at=stamp.occurred_at,
        touches=tuple(changed),
        realm_id=subject.id,
        realm=subject.name,
        **members,
    )
    await transaction.append(event, changed, realm_id=subject.id, details=details)
    return stamp.sequence
