"""A verifier node, or a fetcher, as a process."""

from typing import Any

import uvicorn

from keyturn_shared.logs import configure_logs
from keyturn_verifier.app import create_app, create_fetcher_app
from keyturn_verifier.settings import VerifierSettings


def run(settings: VerifierSettings) -> None:
    """Serve until SIGTERM or SIGINT: then finish the answers under way, and leave the fleet."""
    configure_logs(level=settings.log_level, service="verifier")
    _serve(settings, create_app(settings))


def run_fetcher(settings: VerifierSettings) -> None:
    """Fetch JWKS URLs for the fleet until SIGTERM or SIGINT; serves health and metrics only."""
    configure_logs(level=settings.log_level, service="fetcher")
    _serve(settings, create_fetcher_app(settings))


def _serve(settings: VerifierSettings, app: Any) -> None:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_seconds,
    )
    uvicorn.Server(config).run()
