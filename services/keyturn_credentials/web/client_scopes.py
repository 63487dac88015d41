"""Client scopes of a realm, and the lists in which the realm and its clients have them."""

from collections.abc import Iterable
from functools import partial
from typing import Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client_scopes import (
    REALM_DEFAULT,
    REALM_OPTIONAL,
    ClientScope,
    default_scopes_of_realm,
    optional_scopes_of_realm,
    require_scope,
    scopes_named,
    scopes_of_realm,
)
from keyturn_credentials.domain.grants import DEFAULT_SCOPES, OPTIONAL_SCOPES, scopes_of
from keyturn_credentials.domain.protocol_mappers import MAPPERS, OPENID_CONNECT
from keyturn_credentials.http.bodies import read_json
from keyturn_credentials.operations.client_scopes import ClientScopeOperations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import MANAGE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.notices import mapper_notice

_REALM: Final = "/admin/realms/{realm}"
_CLIENT: Final = f"{_REALM}/clients/{{uuid}}"


class ClientScopeRoutes:
    """Handlers of Keycloak's ClientScopesResource, ClientScopeResource and the lists of scopes."""

    def __init__(self, queries: Queries, operations: ClientScopeOperations, base_url: str) -> None:
        self._queries = queries
        self._operations = operations
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        routes: list[BaseRoute] = [
            gate.route(
                f"{_REALM}/client-scopes",
                {"GET": Endpoint(self.list, VIEW), "POST": Endpoint(self.create, MANAGE)},
            ),
            gate.route(
                f"{_REALM}/client-scopes/{{scope}}",
                {
                    "GET": Endpoint(self.get, VIEW),
                    "PUT": Endpoint(self.update, MANAGE),
                    "DELETE": Endpoint(self.delete, MANAGE),
                },
            ),
        ]
        for name, member in (("default-default", REALM_DEFAULT), ("default-optional", REALM_OPTIONAL)):
            path = f"{_REALM}/{name}-client-scopes"
            routes += [
                gate.route(path, {"GET": Endpoint(partial(self.realm_list, member), VIEW)}),
                gate.route(
                    f"{path}/{{scope}}",
                    {
                        "PUT": Endpoint(partial(self.put_in_realm_list, member, is_in=True), MANAGE),
                        "DELETE": Endpoint(partial(self.put_in_realm_list, member, is_in=False), MANAGE),
                    },
                ),
            ]
        for name, member in (("default", DEFAULT_SCOPES), ("optional", OPTIONAL_SCOPES)):
            path = f"{_CLIENT}/{name}-client-scopes"
            routes += [
                gate.route(path, {"GET": Endpoint(partial(self.client_list, member), VIEW)}),
                gate.route(
                    f"{path}/{{scope}}",
                    {
                        "PUT": Endpoint(partial(self.put_in_client_list, member, is_in=True), MANAGE),
                        "DELETE": Endpoint(partial(self.put_in_client_list, member, is_in=False), MANAGE),
                    },
                ),
            ]
        return routes

    async def list(self, call: Call) -> Response:
        realm = await self._queries.realm(call.realm)
        return JSONResponse([dict(scope.representation) for scope in scopes_of_realm(realm)])

    async def create(self, call: Call) -> Response:
        done = await self._operations.create(call.realm_target, await read_json(call.request))
        call.changed(done)
        headers = mapper_notice(done.value.mappers)
        location = f"{self._base_url}/admin/realms/{quote(call.realm)}/client-scopes/{quote(done.value.id)}"
        return Response(status_code=201, headers={"Location": location, **headers})

    async def get(self, call: Call) -> Response:
        scope = require_scope(await self._queries.realm(call.realm), call.path("scope"))
        return JSONResponse(dict(scope.representation))

    async def update(self, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.update(call.realm_target, call.path("scope"), representation)
        call.changed(done)
        mappers = require_scope(done.value, call.path("scope")).mappers
        return Response(
            status_code=204, headers=mapper_notice(mappers) if representation.get(MAPPERS) else {}
        )

    async def delete(self, call: Call) -> Response:
        call.changed(await self._operations.delete(call.realm_target, call.path("scope")))
        return Response(status_code=204)

    async def realm_list(self, member: str, call: Call) -> Response:
        realm = await self._queries.realm(call.realm)
        names = default_scopes_of_realm if member == REALM_DEFAULT else optional_scopes_of_realm
        shown = [
            {**_name_of(scope), "protocol": _protocol_of(scope)}
            for scope in scopes_named(realm, names(realm))
        ]
        return JSONResponse(shown)

    async def put_in_realm_list(self, member: str, call: Call, *, is_in: bool) -> Response:
        done = await self._operations.put_in_realm_list(
            call.realm_target, call.path("scope"), member, is_in=is_in
        )
        call.changed(done)
        return Response(status_code=204)

    async def client_list(self, member: str, call: Call) -> Response:
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        default, optional = scopes_of(realm, client)
        return _named(scopes_named(realm, default if member == DEFAULT_SCOPES else optional))

    async def put_in_client_list(self, member: str, call: Call, *, is_in: bool) -> Response:
        done = await self._operations.put_in_client_list(
            call.client_target, call.path("scope"), member, is_in=is_in
        )
        call.changed(done)
        return Response(status_code=204)


def _named(scopes: Iterable[ClientScope]) -> Response:
    return JSONResponse([_name_of(scope) for scope in scopes])


def _name_of(scope: ClientScope) -> dict[str, str]:
    return {"id": scope.id, "name": scope.name}


def _protocol_of(scope: ClientScope) -> str:
    return str(scope.representation.get("protocol") or OPENID_CONNECT)
