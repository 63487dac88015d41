"""``…/clients/{uuid}/refusals``: why a client's authentications were refused."""

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number
from keyturn_shared.fleet.refusals import RefusalRegistry

MAX_PAGE: Final = 100
_DEFAULT_PAGE: Final = 20


class ClientRefusalRoutes:
    """Handlers of the refusals that verifiers recorded."""

    def __init__(self, queries: Queries, refusals: RefusalRegistry) -> None:
        self._queries = queries
        self._refusals = refusals

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/refusals"
        return [gate.route(path, {"GET": Endpoint(self.get, VIEW)})]

    async def get(self, call: Call) -> Response:
        """Return the newest refusals, newest first. They are a sample, some seconds old, and are lost
        with Redis, so an empty list does not mean none. 503 while Redis does not answer."""
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        found = await self._refusals.read(realm.name, client.client_id, most=most)
        return JSONResponse(
            [
                {"time": each.at, "code": each.code, "method": each.method, "address": each.address}
                for each in found
            ]
        )
