"""Who may do what in the admin API."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from keyturn_credentials.domain import attributes
from keyturn_credentials.errors import InvalidRequestError

MASTER: Final = "master"


class Role(StrEnum):
    """Keycloak's names. ``admin`` and ``create-realm`` mean something in realm ``master`` only."""

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
    """The roles a client holds, implied ones included. Raises InvalidRequestError for a name that is none."""
    held: set[Role] = set()
    for name in attributes.words(client_attributes, attributes.ADMIN_ROLES):
        try:
            held |= _IMPLIED[Role(name)]
        except ValueError:
            known = ", ".join(Role)
            raise InvalidRequestError(f"{name!r} is no admin role; there are {known}") from None
    return frozenset(held)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller of the admin API and the roles its client holds at this moment."""

    realm: str
    client_uuid: str
    client_id: str
    roles: frozenset[Role]

    @classmethod
    def system(cls) -> Self:
        """The service itself: the first start, automatic rotation, commands run beside the database."""
        return cls(MASTER, "", "keyturn", frozenset(Role))

    def may(self, role: Role, realm: str) -> bool:
        """Whether the caller holds the role for that realm: clients of ``master`` for every realm, all
        others for their own."""
        if self.realm == MASTER:
            return role in self.roles
        return realm == self.realm and role in self.roles - {Role.CREATE_REALM, Role.ADMIN}

    def may_act_on(self, roles: frozenset[Role], realm: str) -> bool:
        """Whether the caller may give a client these roles, or change one that has them (whoever sets a
        client's secret can act as that client): only who holds them all."""
        return all(self.may(role, realm) for role in roles)
