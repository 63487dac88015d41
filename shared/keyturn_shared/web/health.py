"""Liveness, readiness and metrics of every process."""

from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Readiness = Callable[[], Awaitable[dict[str, str]]]
"""Names of what is not ready, each with the reason; empty when the process can do its work."""

_OPENMETRICS: Final = "application/openmetrics-text"

MetricsPage = Callable[[], Awaitable[bytes]]
"""Prometheus text."""


def health_routes(
    readiness: Readiness,
    registry: CollectorRegistry,
    *,
    degraded: Readiness | None = None,
    metrics_page: MetricsPage | None = None,
    exemplars: bool = False,
) -> list[Route]:
    """``/health/live`` (200 while the process answers), ``/health/ready`` (200 or 503 with reasons) and
    ``/metrics`` (Prometheus text).

    ``degraded``: what works less well, and the consequence. It is shown with either answer, and takes no
    process out of service. ``metrics_page``: the page to show instead of the registry's. ``exemplars``: serve
    OpenMetrics to who accepts it, the only text format that has them.
    """

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> Response:
        reasons = await readiness()
        less = await degraded() if degraded is not None else {}
        details: dict[str, object] = {"degraded": less} if less else {}
        if not reasons:
            return JSONResponse({"status": "ready"} | details)
        return JSONResponse(
            {"status": "not_ready", "reasons": reasons} | details,
            status_code=503,
            headers={"Retry-After": "1"},
        )

    async def metrics(request: Request) -> Response:
        if exemplars and _accepts_openmetrics(request.headers.get("accept", "")):
            encode, media_type = choose_encoder(_OPENMETRICS)
            return Response(encode(registry), media_type=media_type)
        page = generate_latest(registry) if metrics_page is None else await metrics_page()
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


def _accepts_openmetrics(accept: str) -> bool:
    return any(each.partition(";")[0].strip() == _OPENMETRICS for each in accept.split(","))
