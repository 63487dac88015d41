"""Protocol mappers of clients and client scopes."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client_scopes import require_scope
from keyturn_credentials.domain.mapper_changes import require_mapper
from keyturn_credentials.domain.protocol_mappers import mappers_in, shown
from keyturn_credentials.http.bodies import read_json, read_json_list
from keyturn_credentials.operations.protocol_mappers import MapperContainer, ProtocolMapperOperations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import MANAGE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.notices import mapper_notice

_REALM: Final = "/admin/realms/{realm}"
_OF_CLIENT: Final = f"{_REALM}/clients/{{uuid}}/protocol-mappers"
_OF_SCOPE: Final = f"{_REALM}/client-scopes/{{scope}}/protocol-mappers"

Mappers = list[dict[str, Any]]
Read = Callable[[Call], Awaitable[Mappers]]
Container = Callable[[Call], MapperContainer]


class ProtocolMapperRoutes:
    """Handlers of Keycloak's ProtocolMappersResource, of a client and of a client scope."""

    def __init__(self, queries: Queries, operations: ProtocolMapperOperations, base_url: str) -> None:
        self._queries = queries
        self._operations = operations
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        of_client = self._routes(gate, _OF_CLIENT, self._of_client, self._client)
        return of_client + self._routes(gate, _OF_SCOPE, self._of_scope, self._scope)

    def _routes(self, gate: Gate, path: str, read: Read, container: Container) -> list[BaseRoute]:
        return [
            gate.route(
                f"{path}/models",
                {
                    "GET": Endpoint(partial(self.list, read), VIEW),
                    "POST": Endpoint(partial(self.create, container), MANAGE),
                },
            ),
            gate.route(
                f"{path}/models/{{mapper}}",
                {
                    "GET": Endpoint(partial(self.get, read), VIEW),
                    "PUT": Endpoint(partial(self.update, container), MANAGE),
                    "DELETE": Endpoint(partial(self.delete, container), MANAGE),
                },
            ),
            gate.route(f"{path}/add-models", {"POST": Endpoint(partial(self.create_all, container), MANAGE)}),
            gate.route(
                f"{path}/protocol/{{protocol}}", {"GET": Endpoint(partial(self.of_protocol, read), VIEW)}
            ),
        ]

    async def list(self, read: Read, call: Call) -> Response:
        return _listed(await read(call))

    async def of_protocol(self, read: Read, call: Call) -> Response:
        protocol = call.path("protocol")
        return _listed(mapper for mapper in await read(call) if mapper["protocol"] == protocol)

    async def get(self, read: Read, call: Call) -> Response:
        return JSONResponse(shown(require_mapper(await read(call), call.path("mapper"))))

    async def create(self, container: Container, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.add(container(call), [representation])
        call.changed(done)
        location = f"{self._base_url}{quote(call.request.url.path)}/{quote(done.value[0]['id'], safe='')}"
        return Response(status_code=201, headers={"Location": location, **mapper_notice(done.value)})

    async def create_all(self, container: Container, call: Call) -> Response:
        representations = await read_json_list(call.request) or ()
        done = await self._operations.add(container(call), representations)
        call.changed(done)
        return Response(status_code=204, headers=mapper_notice(done.value))

    async def update(self, container: Container, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.update(container(call), call.path("mapper"), representation)
        call.changed(done)
        return Response(status_code=204, headers=mapper_notice(done.value))

    async def delete(self, container: Container, call: Call) -> Response:
        call.changed(await self._operations.delete(container(call), call.path("mapper")))
        return Response(status_code=204)

    def _client(self, call: Call) -> MapperContainer:
        return self._operations.of_client(call.client_target)

    def _scope(self, call: Call) -> MapperContainer:
        return self._operations.of_scope(call.realm_target, call.path("scope"))

    async def _of_client(self, call: Call) -> Mappers:
        _, client = await self._queries.client(call.realm, call.client_uuid)
        return mappers_in(client.document, client.uuid)

    async def _of_scope(self, call: Call) -> Mappers:
        return require_scope(await self._queries.realm(call.realm), call.path("scope")).mappers


def _listed(mappers: Iterable[Mapping[str, Any]]) -> Response:
    return JSONResponse([shown(mapper) for mapper in mappers])
