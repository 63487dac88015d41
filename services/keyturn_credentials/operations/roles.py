"""Operations on the roles of a realm and of its clients."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey
from keyturn_credentials.domain.role_changes import (
    require_key,
    with_changed_role,
    with_composites,
    with_new_role,
    without_role,
)
from keyturn_credentials.operations.changes import Change, Changes, Done, RealmChange
from keyturn_credentials.operations.permissions import MANAGE_CLIENTS, MANAGE_REALM, Permission
from keyturn_credentials.operations.role_targets import RoleTarget
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_shared.events import RealmUpdated

_Apply = Callable[[Realm, RoleKey], Realm]


class RoleOperations:
    """Each is one event of the realm, whoever has the role: nodes know what roles stand for from its
    projection. They raise the errors of ``Changes``, and InvalidRequestError."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def create(
        self, target: RealmTarget, client_uuid: str | None, representation: Mapping[str, Any]
    ) -> Done[RoleKey]:
        """Create a role of the realm, or of the client with this id."""

        def decide(realm: Realm, client: Client | None) -> RealmChange[RoleKey]:
            owner = None if client is None else client.client_id
            after, key = with_new_role(realm, owner, representation)
            return _change(after, key, "created")

        permission = permission_for(client_uuid is not None)
        return await self._changes.change_roles(target, client_uuid, permission, decide)

    async def update(self, target: RoleTarget, representation: Mapping[str, Any]) -> Done[RoleKey]:
        """Apply a PUT."""
        return await self._change(
            target, "updated", lambda realm, key: with_changed_role(realm, key, representation)
        )

    async def delete(self, target: RoleTarget) -> Done[RoleKey]:
        """Delete a role. Nobody has it any more."""
        return await self._change(target, "deleted", without_role)

    async def put_composites(
        self, target: RoleTarget, chosen: Sequence[str], *, is_in: bool
    ) -> Done[RoleKey]:
        """Compose a role of the roles with these ids, or of them no longer."""
        return await self._change(
            target,
            "composites added" if is_in else "composites removed",
            lambda realm, key: with_composites(realm, key, chosen, is_in=is_in),
        )

    async def _change(self, target: RoleTarget, what: str, apply: _Apply) -> Done[RoleKey]:
        def decide(realm: Realm, client: Client | None) -> RealmChange[RoleKey]:
            if target.role_id is not None:
                key = require_key(realm, target.role_id)
            else:
                key = None if client is None else client.client_id, target.name
            return _change(apply(realm, key), key, what)

        permission = permission_for(target.is_of_client)
        return await self._changes.change_roles(target.realm, target.client_uuid, permission, decide)


def permission_for(is_of_client: bool) -> Permission:
    """Return the permission to change a role of a client, or of the realm, as in Keycloak."""
    return MANAGE_CLIENTS if is_of_client else MANAGE_REALM


def _change(after: Realm, key: RoleKey, what: str) -> RealmChange[RoleKey]:
    owner, name = key
    details = {"role": name, "change": what} | ({} if owner is None else {"of_client": owner})
    return Change(after=after, event=RealmUpdated, value=key, details=details)
