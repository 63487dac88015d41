"""Operations on the protocol mappers of clients and client scopes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scope_changes import with_scope_mappers
from keyturn_credentials.domain.client_scopes import require_scope
from keyturn_credentials.domain.mapper_changes import MapperChange, Mappers, adding, removing, replacing
from keyturn_credentials.domain.protocol_mappers import mappers_in
from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.domain.representation import with_client_mappers
from keyturn_credentials.operations.changes import Change, Changes, ClientChange, Done, RealmChange
from keyturn_credentials.operations.permissions import MANAGE_CLIENTS
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_shared.events import ClientUpdated, RealmUpdated

_SHOWN = 100

Changed = tuple[dict[str, Any], ...]
"""The mappers that a change added or replaced."""
ChangeMappers = Callable[[Mappers], MapperChange]


class MapperContainer(Protocol):
    """A client or a client scope, with protocol mappers to be changed."""

    async def apply(self, change: ChangeMappers, details: Mapping[str, Any]) -> Done[Changed]:
        """Write a change of the mappers. ``details``: of the audit entry."""
        ...


class ProtocolMapperOperations:
    """They raise the errors of ``Changes``, InvalidRequestError and ConflictError."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def of_client(self, target: ClientTarget) -> MapperContainer:
        return _OfClient(self._changes, target)

    def of_scope(self, target: RealmTarget, scope_id: str) -> MapperContainer:
        return _OfScope(self._changes, target, scope_id)

    async def add(
        self, container: MapperContainer, representations: Sequence[Mapping[str, Any]]
    ) -> Done[Changed]:
        """Add mappers, all or none."""
        names = [str(each.get("name"))[:_SHOWN] for each in representations]
        change = partial(adding, representations=representations)
        return await container.apply(change, {"protocol_mappers": names[:_SHOWN]})

    async def update(
        self, container: MapperContainer, mapper_id: str, representation: Mapping[str, Any]
    ) -> Done[Changed]:
        """Replace a mapper."""
        change = partial(replacing, mapper_id=mapper_id, representation=representation)
        return await container.apply(change, {"protocol_mapper_id": mapper_id})

    async def delete(self, container: MapperContainer, mapper_id: str) -> Done[Changed]:
        """Remove a mapper."""
        change = partial(removing, mapper_id=mapper_id)
        return await container.apply(change, {"protocol_mapper_id": mapper_id})


class _OfClient:
    """The mappers of a client. A change is one event of the client."""

    def __init__(self, changes: Changes, target: ClientTarget) -> None:
        self._changes = changes
        self._target = target

    async def apply(self, change: ChangeMappers, details: Mapping[str, Any]) -> Done[Changed]:
        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Changed]:
            changed = change(mappers_in(client.document, client.uuid))
            after = with_client_mappers(client, changed.after)
            return Change(after=after, event=ClientUpdated, value=changed.changed, details=details)

        return await self._changes.change_client(self._target, MANAGE_CLIENTS, decide)


class _OfScope:
    """The mappers of a client scope. A change is one event of the realm."""

    def __init__(self, changes: Changes, target: RealmTarget, scope_id: str) -> None:
        self._changes = changes
        self._target = target
        self._scope_id = scope_id

    async def apply(self, change: ChangeMappers, details: Mapping[str, Any]) -> Done[Changed]:
        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Changed]:
            changed = change(require_scope(realm, self._scope_id).mappers)
            after = with_scope_mappers(realm, self._scope_id, changed.after)
            of_scope = {"client_scope_id": self._scope_id, **details}
            return Change(after=after, event=RealmUpdated, value=changed.changed, details=of_scope)

        return await self._changes.change_realm(self._target, MANAGE_CLIENTS, decide)
