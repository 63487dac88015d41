"""The credentials service counts requests by the part that answers them."""

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyturn_credentials.web.measured import Measured
from keyturn_shared.web.request_metrics import RequestMetrics


async def _answer(request: Request) -> Response:
    if request.url.path.endswith("/broken"):
        raise RuntimeError("broken")
    return Response(status_code=204)


async def _ask(method: str, path: str) -> dict[tuple[str, str], float]:
    """Send a request; return the counts by endpoint and status."""
    registry, times = CollectorRegistry(), iter((1.0, 1.5))
    measured = Middleware(Measured, metrics=RequestMetrics(registry), elapsed=lambda: next(times))
    route = Route("/{path:path}", _answer, methods=["GET", "HEAD", "POST", "PUT"])
    app = Starlette(routes=[route], middleware=[measured])
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://credentials") as http:
        await http.request(method, path)
    samples = [sample for family in registry.collect() for sample in family.samples]
    for sample in samples:
        if sample.name == "keyturn_request_seconds_sum":
            assert sample.value in (0, 0.5)
    return {
        (sample.labels["endpoint"], sample.labels["status"]): sample.value
        for sample in samples
        if sample.name == "keyturn_requests_total" and sample.value
    }


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("GET", "/admin/realms", "admin_read"),
        ("HEAD", "/admin/realms", "admin_read"),
        ("PUT", "/admin/realms/acme", "admin_change"),
        ("GET", "/console/", "console"),
        ("POST", "/realms/acme/rotation", "realms"),
    ],
)
async def test_a_request_counts_for_its_part(method: str, path: str, endpoint: str) -> None:
    assert await _ask(method, path) == {(endpoint, "204"): 1}


@pytest.mark.parametrize("path", ["/metrics", "/health/ready", "/administrator", "/other"])
async def test_health_metrics_and_unknown_paths_do_not_count(path: str) -> None:
    assert await _ask("GET", path) == {}


async def test_an_unexpected_error_counts_as_a_500() -> None:
    assert await _ask("GET", "/admin/broken") == {("admin_read", "500"): 1}
