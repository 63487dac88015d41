"""``/admin/realms/{realm}/fleet``: the nodes, and how far each has come."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from keyturn_credentials.domain.roles import Role
from keyturn_credentials.fleet.view import describe
from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.fleet.watch import FleetWatch
from keyturn_credentials.relay.event_log import EventLog
from keyturn_credentials.web.gate import MAX_WAIT_SECONDS, Call, Endpoint, Gate
from keyturn_credentials.web.numbers import whole_number
from keyturn_credentials.web.problems import problem
from keyturn_credentials.web.realms import ANY_ROLE
from keyturn_shared.fleet.registry import FleetRegistry

_STREAM_SECONDS: Final = 300.0


class FleetRoutes:
    """Handlers of what is asked about the fleet."""

    def __init__(self, registry: FleetRegistry, waiter: FleetWaiter, log: EventLog) -> None:
        self._registry = registry
        self._waiter = waiter
        self._log = log

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route("/admin/realms/{realm}/fleet", {"GET": Endpoint(self.get, ANY_ROLE)}),
            gate.route("/admin/realms/{realm}/fleet/stream", {"GET": Endpoint(self.stream, ANY_ROLE)}),
        ]

    async def stream(self, call: Call) -> Response:
        """Server-sent events: the fleet with its recent changes, whenever something moved."""
        principal = call.principal

        def may_see(realm: str) -> bool:
            return any(principal.may(role, realm) for role in Role)

        watch = FleetWatch(self._registry, self._log, may_see=may_see)

        async def lines() -> AsyncIterator[bytes]:
            yield b"retry: 1000\n\n"
            ends_at = asyncio.get_running_loop().time() + _STREAM_SECONDS
            async for description in watch.looks():
                yield b"data: " + msgspec.json.encode(description) + b"\n\n"
                # Ended now and then: the browser comes back by itself, and is authenticated again.
                if asyncio.get_running_loop().time() > ends_at:
                    return

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(lines(), media_type="text/event-stream", headers=headers)

    async def get(self, call: Call) -> Response:
        """With ``sequence`` and ``wait``: as soon as that event is safe, or when the seconds are over."""
        sequence = whole_number(call, "sequence")
        seconds = whole_number(call, "wait")
        if sequence is None:
            return JSONResponse(describe(await self._registry.view()))
        view, summary = await self._waiter.watch(sequence, min(float(seconds or 0), MAX_WAIT_SECONDS))
        if view is None:
            return problem(503, "redis_unavailable", "Redis does not answer", {"Retry-After": "1"})
        return JSONResponse(describe(view, sequence, summary))
