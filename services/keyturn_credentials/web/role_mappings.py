"""Service accounts as users, and the roles that they were given."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.given_roles import effective_roles, given_roles
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey, roles_of_realm
from keyturn_credentials.domain.role_representation import (
    describe_mappings,
    describe_roles,
    describe_user,
    owners,
)
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.errors import InvalidRequestError, NotFoundError
from keyturn_credentials.http.bodies import read_json_list
from keyturn_credentials.operations.role_mappings import NamedRole, RoleMappingOperations
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.queries.service_accounts import ServiceAccountQueries
from keyturn_credentials.web.clients import MANAGE, MAX_PAGE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import page

_USERS: Final = "/admin/realms/{realm}/users"
_MAPPINGS: Final = f"{_USERS}/{{user}}/role-mappings"
_DEFAULT_PAGE: Final = 100
"""Keycloak's."""

Owner = Callable[[Call], Awaitable[str | None]]
"""Returns the client whose roles an address is about, None for the realm's."""
Shown = Callable[[Realm, Client], Iterable[RoleKey]]


class RoleMappingRoutes:
    """Handlers of Keycloak's RoleMapperResource and ClientRoleMappingsResource, and of UsersResource for the
    users that stand for clients."""

    def __init__(
        self, queries: Queries, accounts: ServiceAccountQueries, operations: RoleMappingOperations
    ) -> None:
        self._queries = queries
        self._accounts = accounts
        self._operations = operations

    def routes(self, gate: Gate) -> list[BaseRoute]:
        routes: list[BaseRoute] = [
            gate.route(_USERS, {"GET": Endpoint(self.list, VIEW)}),
            gate.route(f"{_USERS}/{{user}}", {"GET": Endpoint(self.get, VIEW)}),
            gate.route(_MAPPINGS, {"GET": Endpoint(self.all, VIEW)}),
        ]
        for kind, owner in (("realm", _of_realm), ("clients/{client}", self._of_client)):
            path = f"{_MAPPINGS}/{kind}"
            routes += [
                gate.route(
                    path,
                    {
                        "GET": Endpoint(partial(self.show, owner, _given), VIEW),
                        "POST": Endpoint(partial(self.give, owner), MANAGE),
                        "DELETE": Endpoint(partial(self.take, owner), MANAGE),
                    },
                ),
                gate.route(
                    f"{path}/available", {"GET": Endpoint(partial(self.show, owner, _available), VIEW)}
                ),
                gate.route(
                    f"{path}/composite", {"GET": Endpoint(partial(self.show, owner, _effective), VIEW)}
                ),
            ]
        return routes

    async def list(self, call: Call) -> Response:
        """List service accounts by name. As in Keycloak, other searches do not find them."""
        username = call.query("username")
        if not username:
            await self._queries.realm(call.realm)
            return JSONResponse([])
        first, most = user_page(call)
        _, clients = await self._accounts.named(
            call.realm, username, is_exact=call.is_true("exact"), first=first, most=most
        )
        return JSONResponse(describe_users(call, clients))

    async def get(self, call: Call) -> Response:
        _, client = await self._accounts.find(call.realm, call.path("user"))
        access = dict.fromkeys(("manageGroupMembership", "resetPassword", "impersonate", "manage"), False)
        access |= {"view": True, "mapRoles": call.may(Role.MANAGE_CLIENTS)}
        return JSONResponse({**describe_user(client), "access": access})

    async def all(self, call: Call) -> Response:
        realm, client = await self._accounts.find(call.realm, call.path("user"))
        keys = given_roles(realm, client.service_account)
        return JSONResponse(describe_mappings(realm, keys, await self._queries.uuids(realm, owners(keys))))

    async def show(self, owner: Owner, shown: Shown, call: Call) -> Response:
        realm, client = await self._accounts.find(call.realm, call.path("user"))
        whose = await owner(call)
        keys = [key for key in shown(realm, client) if key[0] == whose]
        uuids = {} if whose is None else {whose: call.path("client")}
        is_brief = (call.query("briefRepresentation") or "true").lower() != "false"
        return JSONResponse(describe_roles(realm, keys, uuids, is_brief=is_brief))

    async def give(self, owner: Owner, call: Call) -> Response:
        named = named_roles(await read_json_list(call.request))
        if named is None:
            raise InvalidRequestError("the body must be a JSON array of roles, each with its id and name")
        call.changed(await self._operations.give(await self._target(call), await owner(call), named))
        return Response(status_code=204)

    async def take(self, owner: Owner, call: Call) -> Response:
        named = named_roles(await read_json_list(call.request))
        call.changed(await self._operations.take(await self._target(call), await owner(call), named))
        return Response(status_code=204)

    async def _target(self, call: Call) -> ClientTarget:
        _, client = await self._accounts.find(call.realm, call.path("user"))
        return call.target_of(client.uuid)

    async def _of_client(self, call: Call) -> str | None:
        realm_name, uuid = call.realm, call.path("client")
        try:
            return (await self._queries.client(realm_name, uuid))[1].client_id
        except NotFoundError:
            raise NotFoundError("Client not found") from None


async def _of_realm(_: Call) -> str | None:
    return None


def describe_users(call: Call, clients: Iterable[Client]) -> list[dict[str, object]]:
    """Represent service accounts as in Keycloak's lists of users."""
    is_brief = call.is_true("briefRepresentation")
    return [{**describe_user(client, is_brief=is_brief), "access": {"manage": False}} for client in clients]


def user_page(call: Call) -> tuple[int, int]:
    """Return how many users to skip, and how many to show at most."""
    first, most = page(call)
    return first, min(_DEFAULT_PAGE if most is None else most, MAX_PAGE)


def named_roles(representations: Iterable[dict[str, object]] | None) -> list[NamedRole] | None:
    """Return the roles that a request names; None without a body."""
    if representations is None:
        return None
    return [NamedRole(role.get("name"), role.get("id")) for role in representations]


def _given(realm: Realm, client: Client) -> Iterable[RoleKey]:
    return given_roles(realm, client.service_account)


def _available(realm: Realm, client: Client) -> Iterable[RoleKey]:
    given = set(given_roles(realm, client.service_account))
    return (key for key in roles_of_realm(realm) if key not in given)


def _effective(realm: Realm, client: Client) -> Iterable[RoleKey]:
    return effective_roles(realm, client.service_account)
