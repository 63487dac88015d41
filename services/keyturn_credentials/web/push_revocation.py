"""Keycloak's ``push-revocation``: reports whether every node applies the ``notBefore``.

Keycloak sends the time to the admin URLs of clients. Here each change is already on its way to the nodes when
its call returns, so it remains to wait for them, and to report which have it.
"""

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.relay.event_log import EventLog
from keyturn_credentials.web.clients import CONFIGURE
from keyturn_credentials.web.gate import Call, Endpoint, Gate, wait_preference
from keyturn_credentials.web.realms import MANAGE_REALM
from keyturn_shared.fleet.registry import NodeStatus, status_of

DEFAULT_SECONDS: Final = 5.0


class PushRevocationRoutes:
    """Handlers of both paths, which return Keycloak's GlobalRequestResult: ids of nodes."""

    def __init__(self, queries: Queries, waiter: FleetWaiter, log: EventLog) -> None:
        self._queries = queries
        self._waiter = waiter
        self._log = log

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}"
        return [
            gate.route(f"{path}/push-revocation", {"POST": Endpoint(self.of_realm, MANAGE_REALM)}),
            gate.route(
                f"{path}/clients/{{uuid}}/push-revocation", {"POST": Endpoint(self.of_client, CONFIGURE)}
            ),
        ]

    async def of_realm(self, call: Call) -> Response:
        await self._queries.realm(call.realm)
        return await self._push(call)

    async def of_client(self, call: Call) -> Response:
        await self._queries.client(call.realm, call.client_uuid)
        return await self._push(call)

    async def _push(self, call: Call) -> Response:
        newest = await self._log.head()
        seconds = wait_preference(call.request.headers.getlist("prefer"))
        view, summary = await self._waiter.watch(newest, DEFAULT_SECONDS if seconds is None else seconds)
        nodes = () if view is None else view.nodes
        reached = [
            node.node_id
            for node in nodes
            if view is not None and status_of(node, view, newest) is not NodeStatus.PENDING
        ]
        return JSONResponse({"successRequests": reached, "failedRequests": list(summary.pending)})
