"""Every permission, for every role and realm of the caller, and clients with any role."""

from dataclasses import replace
from itertools import product
from typing import Final

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.roles import MASTER, Principal, Role, roles_of
from keyturn_credentials.errors import ForbiddenError
from keyturn_credentials.operations import permissions
from keyturn_credentials.operations.permissions import Permission, holding

CLIENT: Final = Client("uuid", "realm-id", "orders")
WHOLE: Final = {Role.CREATE_REALM, Role.ADMIN}
"""Roles that are effective in realm ``master`` only."""
NAMED: Final = {
    Role.CONFIGURE_CLIENTS: permissions.CONFIGURE_CLIENTS,
    Role.MANAGE_CLIENTS: permissions.MANAGE_CLIENTS,
    Role.MANAGE_REALM: permissions.MANAGE_REALM,
    Role.CREATE_REALM: permissions.CREATE_REALM,
}
HOMES: Final = {"its own realm": "acme", "another realm": "other", "master": MASTER}


def holders_of(role: Role) -> frozenset[Role]:
    """Return the roles of a client with this one role."""
    return roles_of({"keyturn.admin.roles": role.value})


def is_allowed(permission: Permission, principal: Principal, *clients: Client) -> bool:
    try:
        permission(principal, "acme", clients)
    except ForbiddenError:
        return False
    return True


def means_something(role: Role, home: str) -> bool:
    return home == MASTER or (home == "acme" and role not in WHOLE)


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_a_permission_is_for_those_who_hold_its_role_for_the_realm(home: str) -> None:
    for asked, given in product(Role, Role):
        principal = Principal(home, "caller", "caller", holders_of(given))
        due = asked in holders_of(given) and means_something(asked, home)
        assert is_allowed(holding(asked), principal) is due, (asked, given)
        assert is_allowed(holding(asked), principal, CLIENT) is due, (asked, given)
        if asked in NAMED:
            assert is_allowed(NAMED[asked], principal, CLIENT) is due, (asked, given)


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_a_client_with_roles_is_changed_only_by_who_holds_them_all(home: str) -> None:
    for given, own in product(Role, Role):
        held = holders_of(given) | {Role.CONFIGURE_CLIENTS}
        principal = Principal(home, "caller", "caller", held)
        strong = replace(CLIENT, attributes={"keyturn.admin.roles": own.value})
        due = home in ("acme", MASTER) and all(
            role in held and means_something(role, home) for role in holders_of(own)
        )
        permission = holding(Role.CONFIGURE_CLIENTS)
        for clients in ([strong], [CLIENT, strong], [strong, CLIENT]):
            assert is_allowed(permission, principal, *clients) is due, (given, own, clients)
