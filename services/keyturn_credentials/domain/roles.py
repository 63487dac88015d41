"""Roles and permissions of the admin API."""

from collections.abc import Iterable, Mapping
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


ONLY_IN_MASTER: Final = frozenset({Role.CREATE_REALM, Role.ADMIN})
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
    return read_roles(attributes.words(client_attributes, attributes.ADMIN_ROLES))


def read_roles(names: Iterable[str]) -> frozenset[Role]:
    """Return the roles of these names, including implied ones. Raises InvalidRequestError for an unknown
    one."""
    held: set[Role] = set()
    for name in names:
        try:
            held |= _IMPLIED[Role(name)]
        except ValueError:
            known = ", ".join(Role)
            raise InvalidRequestError(f"{name!r} is not an admin role; expected one of {known}") from None
    return frozenset(held)


@dataclass(frozen=True, slots=True)
class Person:
    """A person who signed in at an identity provider: ``issuer`` and ``subject`` are the identity (OpenID
    Connect Core section 2), ``name`` is only for display."""

    issuer: str
    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller of the admin API and its current roles: a client, or a person, who may have
    roles in ``further`` realms too."""

    realm: str
    client_uuid: str
    client_id: str
    roles: frozenset[Role]
    person: Person | None = None
    further: tuple[tuple[str, frozenset[Role]], ...] = ()

    @classmethod
    def system(cls) -> Self:
        """Return the service itself: the first start, automatic rotation, commands run next to the
        database."""
        return cls(MASTER, "", "keyturn", frozenset(Role))

    @classmethod
    def of_person(cls, person: Person, roles: Mapping[str, frozenset[Role]]) -> Self:
        """Return a person with roles by realm, of which there is at least one. Its first realm is ``master``
        if that is among them."""
        first, *others = sorted(roles, key=lambda realm: (realm != MASTER, realm))
        further = tuple((realm, roles[realm]) for realm in others)
        return cls(first, "", "", roles[first], person, further)

    @property
    def realms(self) -> tuple[str, ...]:
        """The realms in which the caller has roles of its own."""
        return (self.realm, *(realm for realm, _ in self.further))

    @property
    def identity(self) -> tuple[str, str]:
        """The same for every call of this caller, and of no other caller."""
        if self.person is not None:
            return self.person.issuer, self.person.subject
        return self.realm, self.client_uuid

    def may(self, role: Role, realm: str) -> bool:
        """Return whether the caller holds the role for that realm: roles in ``master`` count for every realm,
        all others for their own."""
        return _holds(self.realm, self.roles, role, realm) or any(
            _holds(home, roles, role, realm) for home, roles in self.further
        )

    def may_act_on(self, roles: frozenset[Role], realm: str) -> bool:
        """Return whether the caller may grant these roles, or change a client that has them. Anyone who sets
        a client's secret can act as that client, so the caller must hold all of its roles."""
        return all(self.may(role, realm) for role in roles)


def _holds(home: str, roles: frozenset[Role], role: Role, realm: str) -> bool:
    if home == MASTER:
        return role in roles
    return realm == home and role in roles - ONLY_IN_MASTER
