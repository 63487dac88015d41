"""Service accounts: the users that stand for clients in Keycloak, and the roles they were given. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from keyturn_credentials.domain.coercion import coerced
from keyturn_credentials.errors import InvalidRequestError

USERS: Final = "users"
_CLIENT: Final = "serviceAccountClientId"
_ROLE_IDS: Final = "roleIds"
_SHOWN: Final = 100
ACCOUNT_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}\Z")
MAX_ROLES: Final = 500
"""Roles that one service account is given, without those that they are composed of."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """``id``: None for the one derived from the client's. ``role_ids``: the roles that it was given, without
    those that they are composed of; None if an import or an earlier build gave them by name.
    ``realm_roles`` and ``client_roles`` (by client id): their names at that time."""

    id: str | None = None
    realm_roles: tuple[str, ...] = ()
    client_roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    role_ids: tuple[str, ...] | None = None

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Read what ``as_stored`` wrote."""
        by_client = {name: tuple(roles) for name, roles in stored.get("clientRoles", {}).items()}
        ids = stored.get(_ROLE_IDS)
        return cls(
            stored.get("id"),
            tuple(stored.get("realmRoles", ())),
            by_client,
            None if ids is None else tuple(ids),
        )

    def as_stored(self) -> dict[str, Any]:
        """Return the members that are there, with Keycloak's names. Earlier builds read the names of
        roles."""
        stored: dict[str, Any] = {} if self.id is None else {"id": self.id}
        if self.realm_roles:
            stored["realmRoles"] = list(self.realm_roles)
        if self.client_roles:
            stored["clientRoles"] = {name: list(roles) for name, roles in self.client_roles.items()}
        if self.role_ids is not None:
            stored[_ROLE_IDS] = list(self.role_ids)
        return stored


def service_accounts_in(document: Mapping[str, Any]) -> dict[str, ServiceAccount]:
    """Return the service accounts of an export by the ids of their clients. Other users, and credentials of
    any, are left alone. Raises InvalidRequestError."""
    users = document.get(USERS)
    found: dict[str, ServiceAccount] = {}
    for user in users if isinstance(users, list) else ():
        client_id = user.get(_CLIENT) if isinstance(user, Mapping) else None
        if isinstance(client_id, str) and client_id:
            found[client_id] = _read(client_id, user)
    return found


def limits_in(document: Mapping[str, Any]) -> dict[str, tuple[bool, list[str]]]:
    """Return, by the ids of their clients, whether each service account is disabled, and its groups."""
    users = document.get(USERS)
    found: dict[str, tuple[bool, list[str]]] = {}
    for user in users if isinstance(users, list) else ():
        client_id = user.get(_CLIENT) if isinstance(user, Mapping) else None
        if isinstance(client_id, str):
            groups = user.get("groups")
            is_disabled = coerced(user).get("enabled") is False
            found[client_id] = (
                is_disabled,
                [str(group) for group in groups] if isinstance(groups, list) else [],
            )
    return found


def without_foreign_id(account: ServiceAccount, taken: Collection[str]) -> tuple[ServiceAccount, list[str]]:
    """Return an account of an export without an id that it cannot have, and a note about it. The id is the
    subject of tokens: two accounts with one would be the same to whoever reads them. ``taken``: the ids of
    others."""
    if account.id is None or (ACCOUNT_ID.match(account.id) and account.id not in taken):
        return account, []
    reason = (
        "which is that of another one"
        if account.id in taken
        else "which is not 1 to 36 letters, digits or '-'"
    )
    note = f"its service account does not have the id {account.id[:_SHOWN]!r}, {reason}"
    return replace(account, id=None), [note]


def _read(client_id: str, user: Mapping[str, Any]) -> ServiceAccount:
    by_client = user.get("clientRoles") or {}
    if not isinstance(by_client, Mapping):
        raise InvalidRequestError(f"the service account of {client_id[:100]}: clientRoles must be an object")
    account = ServiceAccount(
        user["id"] if isinstance(user.get("id"), str) and user["id"] else None,
        tuple(_names(client_id, user.get("realmRoles"))),
        {str(name): tuple(_names(client_id, roles)) for name, roles in by_client.items() if roles},
    )
    count = len(account.realm_roles) + sum(len(roles) for roles in account.client_roles.values())
    if count > MAX_ROLES:
        raise InvalidRequestError(
            f"the service account of {client_id[:100]} has {count} roles; at most {MAX_ROLES} are allowed"
        )
    return account


def _names(client_id: str, value: object) -> Iterator[str]:
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise InvalidRequestError(
            f"the service account of {client_id[:100]}: roles must be arrays of strings"
        )
    yield from dict.fromkeys(value or ())
