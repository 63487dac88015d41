"""Process entry points of a verifier node and of a fetcher."""

import asyncio
import gc
from typing import Final

import uvloop

from keyturn_shared.http_server.accepted_sockets import Tls
from keyturn_shared.http_server.connections import ConnectionTable
from keyturn_shared.http_server.server import IDLE_DRAIN_SECONDS, HttpServer
from keyturn_shared.http_server.serving import configured, listen, make_room
from keyturn_shared.logs import configure_logs
from keyturn_verifier.app import create_app, create_fetcher_app
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.web.application import VerifierApplication
from keyturn_verifier.web.protocol import HttpProtocol

_COLLECT_AFTER: Final = 50_000
"""Container allocations, less deallocations, that trigger a search for cyclic garbage."""


def run(settings: VerifierSettings) -> None:
    """Serve until SIGTERM or SIGINT, then finish the current answers and leave the fleet."""
    configure_logs(level=settings.log_level, service="verifier")
    _serve(settings, create_app(settings))


def run_fetcher(settings: VerifierSettings) -> None:
    """Fetch JWKS URLs for the fleet until SIGTERM or SIGINT; serve health and metrics only."""
    configure_logs(level=settings.log_level, service="fetcher")
    _serve(settings, create_fetcher_app(settings))


def _spare_the_collector() -> None:
    """Collect cyclic garbage rarely: objects from start-up stay, and requests leave no cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 100)


def prepare(settings: VerifierSettings) -> None:
    """Set up this process for many connections, once everything is imported."""
    make_room(settings.connection_limit)
    _spare_the_collector()


def make_server(settings: VerifierSettings, app: VerifierApplication, table: ConnectionTable) -> HttpServer:
    """Build a node's server. Raises ConfigurationError if its TLS files cannot be used."""
    context = settings.server_tls()
    return HttpServer(
        app,
        configured(HttpProtocol, table=table, request_seconds=settings.request_seconds),
        drain_seconds=settings.drain_seconds,
        idle_drain_seconds=IDLE_DRAIN_SECONDS,
        tls=None if context is None else Tls(context, settings.handshake_seconds),
    )


def _serve(settings: VerifierSettings, app: VerifierApplication) -> None:
    server = make_server(settings, app, ConnectionTable(settings.connection_limits()))
    prepare(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(server, app, settings))


async def _run(server: HttpServer, app: VerifierApplication, settings: VerifierSettings) -> None:
    server.stop_on_signals()  # from the start: a node that has joined the fleet leaves it
    async with app.lifespan():
        # Not before: a gateway asks another node while nobody listens here.
        with listen(settings.host, settings.port) as listening:
            await server.serve(listening)
