"""Process entry point of the service."""

import asyncio
import sys
from typing import Final

import uvloop
from starlette.applications import Starlette

from keyturn_credentials.app import build_app
from keyturn_credentials.operations.first_admin import FirstAdmin
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.web.middlewares import BODY_SECONDS
from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.connections import ConnectionTable
from keyturn_shared.http_server.server import IDLE_DRAIN_SECONDS, HttpServer
from keyturn_shared.http_server.serving import configured, listen, make_room
from keyturn_shared.logs import configure_logs

_GRACE_SECONDS: Final = 5
_WAITS_SECONDS: Final = 3
"""The part of it after which waits for the fleet end, so that their changes are still answered."""


def run(settings: CredentialsSettings) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigurationError when it could not start."""
    configure_logs(level=settings.log_level, service="credentials")
    ending = asyncio.Event()
    app = build_app(settings, on_first_admin=announce, ending=ending)
    connection = configured(
        AsgiConnection,
        table=ConnectionTable(settings.connection_limits()),
        head_seconds=settings.request_seconds,
        body_seconds=BODY_SECONDS,
    )
    server = HttpServer(
        app,
        connection,
        drain_seconds=_GRACE_SECONDS,
        idle_drain_seconds=IDLE_DRAIN_SECONDS,
        on_stop=lambda: asyncio.get_running_loop().call_later(_WAITS_SECONDS, ending.set),
    )
    make_room(settings.connection_limit)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app, server, settings))


async def _serve(app: Starlette, server: HttpServer, settings: CredentialsSettings) -> None:
    with listen(settings.host, settings.port) as listening:
        async with app.router.lifespan_context(app):
            server.stop_on_signals()
            await server.serve(listening)


def announce(admin: FirstAdmin) -> None:
    """Print the first admin, once; its secret only if it was generated."""
    lines = [f"First admin of realm {admin.realm}: client id {admin.client_id}"]
    if admin.generated:
        lines.append(f"Client secret, shown this once: {admin.secret.reveal()}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
