"""Permissions required by changes. Pure."""

from collections.abc import Callable, Iterable
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.roles import Principal, Role
from keyturn_credentials.errors import ForbiddenError

Permission = Callable[[Principal, str, Iterable[Client]], None]
"""Raises ForbiddenError unless the caller may change the realm with this name, or these clients of it: a
client before and after the change."""


def holding(role: Role) -> Permission:
    """Require the role, and every role that the clients hold: anyone who sets a client's credentials can act
    as that client."""

    def require(principal: Principal, realm: str, clients: Iterable[Client]) -> None:
        if not principal.may(role, realm):
            raise ForbiddenError("HTTP 403 Forbidden")
        for client in clients:
            if client.admin_roles and not principal.may_act_on(client.admin_roles, realm):
                raise ForbiddenError("this client has admin roles that the caller does not have")

    return require


def being_the_client(principal: Principal, realm: str, clients: Iterable[Client]) -> None:
    """Permit a client to change something of its own."""
    if any(client.uuid != principal.client_uuid for client in clients):
        raise ForbiddenError("HTTP 403 Forbidden")


CONFIGURE_CLIENTS: Final = holding(Role.CONFIGURE_CLIENTS)
MANAGE_CLIENTS: Final = holding(Role.MANAGE_CLIENTS)
MANAGE_REALM: Final = holding(Role.MANAGE_REALM)
CREATE_REALM: Final = holding(Role.CREATE_REALM)
