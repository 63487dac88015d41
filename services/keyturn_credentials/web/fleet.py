"""``/admin/realms/{realm}/fleet``: the nodes, and the position of each."""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.fleet.broadcast import FleetBroadcast
from keyturn_credentials.fleet.view import describe
from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.http.problems import problem
from keyturn_credentials.web.gate import MAX_WAIT_SECONDS, Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number
from keyturn_credentials.web.realms import ANY_ROLE
from keyturn_credentials.web.streams import EventStream, StreamLimits, fleet_lines
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.runtime.admission import leave_place


class FleetRoutes:
    """Handlers of the fleet's endpoints."""

    def __init__(
        self,
        registry: FleetRegistry,
        waiter: FleetWaiter,
        broadcast: FleetBroadcast,
        limits: StreamLimits,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._waiter = waiter
        self._broadcast = broadcast
        self._limits = limits
        self._clock = clock

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route("/admin/realms/{realm}/fleet", {"GET": Endpoint(self.get, ANY_ROLE)}),
            gate.route("/admin/realms/{realm}/fleet/stream", {"GET": Endpoint(self.stream, ANY_ROLE)}),
        ]

    async def stream(self, call: Call) -> Response:
        """Stream the fleet with its recent changes as server-sent events. It ends when the caller may no
        longer see it; 429 and 503 if there are too many streams."""
        if call.request.method == "HEAD":  # it would never end
            return Response(media_type="text/event-stream")
        release = self._limits.take(call.principal)
        lines = fleet_lines(self._broadcast, call.principal, call.authorise, self._clock)
        return EventStream(lines, release)

    async def get(self, call: Call) -> Response:
        """Return the fleet. With ``sequence`` and ``wait``: once that event is safe, or after that many
        seconds."""
        sequence = whole_number(call, "sequence")
        seconds = whole_number(call, "wait")
        if sequence is None:
            return JSONResponse(describe(await self._registry.view()))
        leave_place()
        view, summary = await self._waiter.watch(sequence, min(float(seconds or 0), MAX_WAIT_SECONDS))
        if view is None:
            return problem(503, "redis_unavailable", "Redis does not answer", {"Retry-After": "1"})
        return JSONResponse(describe(view, sequence, summary))
