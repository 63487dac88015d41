"""``/admin/openapi.json``."""

from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyturn_credentials.web.gate import Gate
from keyturn_credentials.web.openapi.document import document
from keyturn_shared.jose import strict_json


def openapi_of(gate: Gate) -> dict[str, Any]:
    """Build the document of all endpoints behind the gate."""
    return document({key: endpoint.any_of for key, endpoint in gate.endpoints.items()})


def openapi_route(gate: Gate) -> Route:
    """Serve the document, which is built when somebody first reads it. It contains only public documentation,
    so anyone may."""

    @cache
    def content() -> bytes:
        return strict_json.encode(openapi_of(gate))

    async def show(_: Request) -> Response:
        return Response(content(), media_type="application/json")

    return Route("/admin/openapi.json", show, methods=["GET"])
