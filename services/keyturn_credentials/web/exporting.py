"""``/admin/realms/{realm}/partial-export``: the realm, and on request its clients, in Keycloak's format."""

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from keyturn_credentials.domain.roles import Role
from keyturn_credentials.errors import ForbiddenError
from keyturn_credentials.operations.exporting import export_realm
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.realms import MANAGE_REALM
from keyturn_shared.clock import Clock


class ExportRoutes:
    """Keycloak's partial export. Secrets are masked; the ``keyturn export`` command can include them."""

    def __init__(self, queries: Queries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route("/admin/realms/{realm}/partial-export", {"POST": Endpoint(self.run, MANAGE_REALM)}),
        ]

    async def run(self, call: Call) -> Response:
        with_clients = call.is_true("exportClients")
        if with_clients and not call.may(Role.VIEW_CLIENTS):
            raise ForbiddenError("HTTP 403 Forbidden")
        realm = await self._queries.realm(call.realm)
        pieces = export_realm(
            self._queries, realm, with_clients=with_clients, with_secrets=False, now=self._clock.now()
        )
        return StreamingResponse(pieces, media_type="application/json")
