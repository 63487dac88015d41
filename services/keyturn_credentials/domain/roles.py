"""Roles and permissions of the admin API."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from keyturn_credentials.domain import attributes
from keyturn_credentials.errors import InvalidRequestError

MASTER: Final = "master"


class Role(StrEnum):
    """Keycloak's names. ``admin`` and ``create-realm`` are effective in realm ``master`` only."""

    VIEW_CLIENTS = "view-clients"
    CONFIGURE_CLIENTS = "configure-clients"
    MANAGE_CLIENTS = "manage-clients"
    MANAGE_REALM = "manage-realm"
    CREATE_REALM = "create-realm"
    ADMIN = "admin"


_IMPLIED: Final = {
    Role.VIEW_CLIENTS: frozenset({Role.VIEW_CLIENTS}),
    Role.CONFIGURE_CLIENTS: frozenset({Role.CONFIGURE_CLIENTS, Role.VIEW_CLIENTS}),
    Role.MANAGE_CLIENTS: frozenset({Role.MANAGE_CLIENTS, Role.CONFIGURE_CLIENTS, Role.VIEW_CLIENTS}),
    Role.MANAGE_REALM: frozenset({Role.MANAGE_REALM}),
    Role.CREATE_REALM: frozenset({Role.CREATE_REALM}),
    Role.ADMIN: frozenset(Role),
}


def roles_of(client_attributes: Mapping[str, str]) -> frozenset[Role]:
    """Return a client's roles, including implied ones. Raises InvalidRequestError for an unknown role."""
    held: set[Role] = set()
    for name in attributes.words(client_attributes, attributes.ADMIN_ROLES):
        try:
            held |= _IMPLIED[Role(name)]
        except ValueError:
            known = ", ".join(Role)
            raise InvalidRequestError(f"{name!r} is not an admin role; expected one of {known}") from None
    return frozenset(held)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller of the admin API and its client's current roles."""

    realm: str
    client_uuid: str
    client_id: str
    roles: frozenset[Role]

    @classmethod
    def system(cls) -> Self:
        """Return the service itself: the first start, automatic rotation, commands run next to the
        database."""
        return cls(MASTER, "", "keyturn", frozenset(Role))

    def may(self, role: Role, realm: str) -> bool:
        """Return whether the caller holds the role for that realm: clients of ``master`` for every realm, all
        others for their own."""
        if self.realm == MASTER:
            return role in self.roles
        return realm == self.realm and role in self.roles - {Role.CREATE_REALM, Role.ADMIN}

    def may_act_on(self, roles: frozenset[Role], realm: str) -> bool:
        """Return whether the caller may grant these roles, or change a client that has them. Anyone who sets
        a client's secret can act as that client, so the caller must hold all of its roles."""
        return all(self.may(role, realm) for role in roles)
