"""A resource server as a separate process: ``keyturn.Verifier`` for several realms, over HTTP."""

import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keyturn import TokenRefusedError, Verifier, VerifierUnavailableError

READY_SECONDS = 60.0


class ResourceServer:
    """``POST /realms/{realm}`` joins the fleet for a realm, ``DELETE`` leaves it, and ``GET`` checks the
    token of the request."""

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self._verifiers: dict[str, Verifier] = {}
        self._leaving: dict[str, AsyncExitStack] = {}
        self._running = AsyncExitStack()

    def app(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> Any:
            async with self._running:
                yield

        routes = [
            Route("/health/ready", self._ready),
            Route("/realms/{realm}", self._join, methods=["POST"]),
            Route("/realms/{realm}", self._leave, methods=["DELETE"]),
            Route("/realms/{realm}", self._judge, methods=["GET"]),
        ]
        return Starlette(routes=routes, lifespan=lifespan)

    async def _ready(self, _: Request) -> Response:
        return Response()

    async def _join(self, request: Request) -> Response:
        realm = request.path_params["realm"]
        verifier = Verifier(realm, audience=self._audience, ready_seconds=READY_SECONDS)
        running = await self._running.enter_async_context(AsyncExitStack())
        self._verifiers[realm] = await running.enter_async_context(verifier)
        self._leaving[realm] = running
        return Response(status_code=204)

    async def _leave(self, request: Request) -> Response:
        await self._leaving.pop(request.path_params["realm"]).aclose()
        return Response(status_code=204)

    async def _judge(self, request: Request) -> Response:
        verifier = self._verifiers[request.path_params["realm"]]
        token = request.headers["authorization"].removeprefix("Bearer ")
        try:
            if "own" in request.query_params:
                verified = await verifier.verify_client_token(token, single_use=False)
            else:
                verified = await verifier.verify_access_token(token)
        except TokenRefusedError as refused:
            return JSONResponse({"reason": refused.reason}, 401)
        except VerifierUnavailableError as unavailable:
            return JSONResponse({"reason": unavailable.reason}, 503)
        return JSONResponse({"client_id": verified.client_id})


if __name__ == "__main__":
    uvicorn.run(ResourceServer(sys.argv[1]).app(), port=int(os.environ["KEYTURN_PORT"]), log_level="warning")
