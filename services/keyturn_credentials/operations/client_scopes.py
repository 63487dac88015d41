"""Operations on a realm's client scopes, and on the lists in which realms and clients have them."""

from collections.abc import Callable, Mapping
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scope_changes import (
    with_changed_scope,
    with_client_list,
    with_new_scope,
    with_realm_list,
    without_scope,
)
from keyturn_credentials.domain.client_scopes import ClientScope
from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.operations.changes import Change, Changes, ClientChange, Done, RealmChange
from keyturn_credentials.operations.permissions import MANAGE_CLIENTS
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_shared.events import ClientUpdated, RealmUpdated


class ClientScopeOperations:
    """Each is one event of the realm or the client. They raise the errors of ``Changes``, and
    InvalidRequestError."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def create(self, target: RealmTarget, representation: Mapping[str, Any]) -> Done[ClientScope]:
        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[ClientScope]:
            after, scope = with_new_scope(realm, representation)
            details = {"client_scope": scope.name}
            return Change(after=after, event=RealmUpdated, value=scope, details=details)

        return await self._changes.change_realm(target, MANAGE_CLIENTS, decide)

    async def update(
        self, target: RealmTarget, scope_id: str, representation: Mapping[str, Any]
    ) -> Done[Realm]:
        return await self._change_realm(
            target, scope_id, lambda realm: with_changed_scope(realm, scope_id, representation)
        )

    async def delete(self, target: RealmTarget, scope_id: str) -> Done[Realm]:
        return await self._change_realm(target, scope_id, lambda realm: without_scope(realm, scope_id))

    async def put_in_realm_list(
        self, target: RealmTarget, scope_id: str, member: str, *, is_in: bool
    ) -> Done[Realm]:
        """Add a scope to one of the realm's lists, or remove it."""
        return await self._change_realm(
            target, scope_id, lambda realm: with_realm_list(realm, scope_id, member, is_in=is_in)
        )

    async def put_in_client_list(
        self, target: ClientTarget, scope_id: str, member: str, *, is_in: bool
    ) -> Done[Client]:
        """Add a scope to one of a client's lists, or remove it."""

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
            after = with_client_list(realm, client, scope_id, member, is_in=is_in)
            return Change(after=after, event=ClientUpdated, value=after, details={"changed": [member]})

        return await self._changes.change_client(target, MANAGE_CLIENTS, decide)

    async def _change_realm(
        self, target: RealmTarget, scope_id: str, change: Callable[[Realm], Realm]
    ) -> Done[Realm]:
        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            after = change(realm)
            details = {"client_scope_id": scope_id}
            return Change(after=after, event=RealmUpdated, value=after, details=details)

        return await self._changes.change_realm(target, MANAGE_CLIENTS, decide)
