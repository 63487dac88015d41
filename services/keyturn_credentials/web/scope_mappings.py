"""Scope mappings of clients and of client scopes."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey, expanded, roles_of_realm
from keyturn_credentials.domain.role_representation import describe_mappings, describe_roles, owners
from keyturn_credentials.domain.scope_mappings import Holder, mappings_of
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.http.bodies import read_json_list
from keyturn_credentials.operations.scope_mappings import (
    ScopeMappingOperations,
    ScopeMappingTarget,
    holder_of,
)
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import MANAGE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate

_REALM: Final = "/admin/realms/{realm}"


@dataclass(frozen=True, slots=True)
class Found:
    """The holder of the mappings. ``client``: None for a client scope."""

    realm: Realm
    client: Client | None
    holder: Holder


Find = Callable[[Call], Awaitable[Found]]
Shown = Callable[[Found], Iterable[RoleKey]]


class ScopeMappingRoutes:
    """Handlers of Keycloak's ScopeMappedResource and ScopeMappedClientResource."""

    def __init__(self, queries: Queries, operations: ScopeMappingOperations) -> None:
        self._queries = queries
        self._operations = operations

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            *self._of(gate, f"{_REALM}/clients/{{uuid}}/scope-mappings", is_of_client=True),
            *self._of(gate, f"{_REALM}/client-scopes/{{scope}}/scope-mappings", is_of_client=False),
        ]

    def _of(self, gate: Gate, path: str, *, is_of_client: bool) -> list[BaseRoute]:
        find = partial(self._find, is_of_client=is_of_client)
        routes: list[BaseRoute] = [gate.route(path, {"GET": Endpoint(partial(self.all, find), VIEW)})]
        for kind, change in (
            ("realm", self.change_realm_roles),
            ("clients/{client}", self.change_client_roles),
        ):
            whole = f"{path}/{kind}"
            endpoints = {"GET": Endpoint(partial(self.show, find, _mapped), VIEW)}
            for method, is_in in (("POST", True), ("DELETE", False)):
                changing = partial(change, is_of_client=is_of_client, is_in=is_in)
                endpoints[method] = Endpoint(changing, MANAGE)
            routes += [
                gate.route(whole, endpoints),
                gate.route(
                    f"{whole}/available", {"GET": Endpoint(partial(self.show, find, _available), VIEW)}
                ),
                gate.route(
                    f"{whole}/composite", {"GET": Endpoint(partial(self.show, find, _effective), VIEW)}
                ),
            ]
        return routes

    async def all(self, find: Find, call: Call) -> Response:
        found = await find(call)
        keys = mappings_of(found.realm, found.holder)
        uuids = await self._queries.uuids(found.realm, owners(keys))
        return JSONResponse(describe_mappings(found.realm, keys, uuids))

    async def show(self, find: Find, shown: Shown, call: Call) -> Response:
        found = await find(call)
        whose = await self._owner(call)
        keys = [key for key in shown(found) if key[0] == whose]
        uuids = {} if whose is None else {whose: call.path("client")}
        is_brief = (call.query("briefRepresentation") or "true").lower() != "false"
        return JSONResponse(describe_roles(found.realm, keys, uuids, is_brief=is_brief))

    async def change_realm_roles(self, call: Call, *, is_of_client: bool, is_in: bool) -> Response:
        ids = await _members(call, "id", is_in=is_in)
        target = _target(call, is_of_client=is_of_client)
        call.changed(await self._operations.change_realm_roles(target, ids, is_in=is_in))
        return Response(status_code=204)

    async def change_client_roles(self, call: Call, *, is_of_client: bool, is_in: bool) -> Response:
        names = await _members(call, "name", is_in=is_in)
        target = _target(call, is_of_client=is_of_client)
        owner = (await self._queries.client(call.realm, call.path("client")))[1].client_id
        call.changed(await self._operations.change_client_roles(target, owner, names, is_in=is_in))
        return Response(status_code=204)

    async def _owner(self, call: Call) -> str | None:
        if "client" not in call.request.path_params:
            return None
        return (await self._queries.client(call.realm, call.path("client")))[1].client_id

    async def _find(self, call: Call, *, is_of_client: bool) -> Found:
        if is_of_client:
            realm, client = await self._queries.client(call.realm, call.client_uuid)
            return Found(realm, client, Holder.client(client.client_id))
        realm = await self._queries.realm(call.realm)
        return Found(realm, None, holder_of(realm, None, call.path("scope")))


def _target(call: Call, *, is_of_client: bool) -> ScopeMappingTarget:
    if is_of_client:
        return ScopeMappingTarget(call.realm_target, client_uuid=call.client_uuid)
    return ScopeMappingTarget(call.realm_target, scope_id=call.path("scope"))


async def _members(call: Call, name: str, *, is_in: bool) -> list[object] | None:
    """Return a member of each role in the request. Only a removal may be without a body: it means all."""
    named = await read_json_list(call.request)
    if named is None and is_in:
        raise InvalidRequestError("the body must be a JSON array of roles")
    return None if named is None else [role.get(name) for role in named]


def _mapped(found: Found) -> Iterable[RoleKey]:
    return mappings_of(found.realm, found.holder)


def _available(found: Found) -> Iterable[RoleKey]:
    mapped = set(mappings_of(found.realm, found.holder))
    return (key for key in roles_of_realm(found.realm) if key not in mapped)


def _effective(found: Found) -> Iterable[RoleKey]:
    """Return the roles in scope, with those that they are composed of: all of them with full scope, and a
    client's own in any case."""
    known = roles_of_realm(found.realm)
    client = found.client
    if client is not None and client.has_full_scope:
        return known
    own = [key for key in known if client is not None and key[0] == client.client_id]
    return expanded(known, (*own, *mappings_of(found.realm, found.holder)))
