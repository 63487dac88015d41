"""Operations on scope mappings: the roles that clients without full scope, and client scopes, bring into
scope."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scopes import require_scope
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey, keys_by_id, roles_of_realm
from keyturn_credentials.domain.scope_mappings import Holder, mappings_of, with_mappings
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.operations.changes import Change, Changes, Done, RealmChange
from keyturn_credentials.operations.permissions import MANAGE_CLIENTS
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_shared.events import RealmUpdated

_NAMED: Final = 20
"""Roles that an audit entry names; all are counted."""
_Find = Callable[[Realm], Iterable[RoleKey]]


@dataclass(frozen=True, slots=True)
class ScopeMappingTarget:
    """The client with this UUID, or the client scope with this id."""

    realm: RealmTarget
    client_uuid: str | None = None
    scope_id: str | None = None


class ScopeMappingOperations:
    """Each is one event of the realm, which has all scope mappings. They raise the errors of ``Changes``, and
    InvalidRequestError."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def change_realm_roles(
        self, target: ScopeMappingTarget, ids: Sequence[object] | None, *, is_in: bool
    ) -> Done[Holder]:
        """Map roles with these ids, or no longer; None: none of the realm's roles any more. As in Keycloak,
        roles of clients may be among them. Raises NotFoundError."""

        def find(realm: Realm) -> Iterable[RoleKey]:
            by_id = keys_by_id(realm)
            return [_required(by_id.get(str(each))) for each in ids or ()]

        return await self._change(target, None, None if ids is None else find, is_in=is_in)

    async def change_client_roles(
        self, target: ScopeMappingTarget, owner: str, names: Sequence[object] | None, *, is_in: bool
    ) -> Done[Holder]:
        """Map roles of the client with the id ``owner`` by their names, or no longer; None: none of its roles
        any more. Raises NotFoundError."""

        def find(realm: Realm) -> Iterable[RoleKey]:
            known = roles_of_realm(realm)
            named = [(owner, str(each)) for each in names or ()]
            return [_required(key if key in known else None) for key in named]

        return await self._change(target, owner, None if names is None else find, is_in=is_in)

    async def _change(
        self, target: ScopeMappingTarget, owner: str | None, find: _Find | None, *, is_in: bool
    ) -> Done[Holder]:
        def decide(realm: Realm, client: Client | None) -> RealmChange[Holder]:
            holder = holder_of(realm, client, target.scope_id)
            before = mappings_of(realm, holder)
            of_owner = (key for key in before if key[0] == owner)
            keys = list(of_owner if find is None else find(realm))
            after = [*before, *keys] if is_in else [key for key in before if key not in keys]
            details = {
                "scope_mappings_of": holder.name,
                "change": "roles added" if is_in else "roles removed",
                "roles": [name for _, name in keys[:_NAMED]],
                "count": len(keys),
            }
            changed = with_mappings(realm, holder, after)
            return Change(after=changed, event=RealmUpdated, value=holder, details=details)

        return await self._changes.change_roles(target.realm, target.client_uuid, MANAGE_CLIENTS, decide)


def holder_of(realm: Realm, client: Client | None, scope_id: str | None) -> Holder:
    """Return the holder of the mappings. Raises NotFoundError."""
    if client is not None:
        return Holder.client(client.client_id)
    return Holder.client_scope(require_scope(realm, scope_id or "").name)


def _required(key: RoleKey | None) -> RoleKey:
    if key is None:
        raise NotFoundError("Role not found")
    return key
