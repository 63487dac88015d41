"""Operations on the roles of service accounts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.given_roles import given_roles, with_roles_given
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey, role_id, roles_of_realm
from keyturn_credentials.domain.role_members import refuse_misleading
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.operations.changes import Change, Changes, ClientChange, Done
from keyturn_credentials.operations.permissions import MANAGE_CLIENTS
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_shared.events import ClientUpdated

_NAMED: Final = 20
"""Roles that an audit entry names; all are counted."""


@dataclass(frozen=True, slots=True)
class NamedRole:
    """A role in a request. As in Keycloak, name and id must be those of one role."""

    name: object
    id: object


class RoleMappingOperations:
    """Each is one event of the client. They raise the errors of ``Changes``."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def give(self, target: ClientTarget, owner: str | None, named: Sequence[NamedRole]) -> Done[Client]:
        """Give a client's service account roles of the realm, or of the client with the id ``owner``. Raises
        NotFoundError, LimitReachedError, and InvalidRequestError for a role that would seem to give power."""
        return await self._change(target, owner, named, is_in=True)

    async def take(
        self, target: ClientTarget, owner: str | None, named: Sequence[NamedRole] | None
    ) -> Done[Client]:
        """Take roles away; None: all of the realm's, or of that client's."""
        return await self._change(target, owner, named, is_in=False)

    async def _change(
        self, target: ClientTarget, owner: str | None, named: Sequence[NamedRole] | None, *, is_in: bool
    ) -> Done[Client]:
        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
            if named is None:
                keys = [key for key in given_roles(realm, client.service_account) if key[0] == owner]
            else:
                keys = list(_found(realm, owner, named))
            if is_in:
                for key in keys:
                    refuse_misleading(realm, key)
            account = with_roles_given(realm, client.service_account, keys, is_in=is_in)
            after = replace(client, service_account=account)
            details = {
                "change": "roles given" if is_in else "roles taken away",
                "roles": [name for _, name in keys[:_NAMED]],
                "count": len(keys),
            } | ({} if owner is None else {"of_client": owner})
            return Change(after=after, event=ClientUpdated, value=after, details=details)

        return await self._changes.change_client(target, MANAGE_CLIENTS, decide)


def _found(realm: Realm, owner: str | None, named: Iterable[NamedRole]) -> Iterable[RoleKey]:
    known = roles_of_realm(realm)
    for each in named:
        key = owner, str(each.name)
        if key not in known or role_id(realm, key, known[key]) != each.id:
            raise NotFoundError("Role not found")
        yield key
