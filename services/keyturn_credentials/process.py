"""One process of the service: settings in, served until told to end."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette

from keyturn_credentials.app import build_app
from keyturn_credentials.operations.bootstrap import FirstAdmin
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.logs import configure_logs

_BACKLOG: Final = 2048
_GRACE_SECONDS: Final = 5
_KEEP_ALIVE_SECONDS: Final = 75


def run(settings: CredentialsSettings) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigurationError when nothing could be started."""
    configure_logs(level=settings.log_level, service="credentials")
    app = build_app(settings, on_first_admin=announce)
    server = _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
    )
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_serve(app, server, settings))


async def _serve(app: Starlette, server: uvicorn.Server, settings: CredentialsSettings) -> None:
    # The lifespan is entered here and not by uvicorn, so that what is wrong arrives as the error it is.
    with _listen(settings.host, settings.port) as listening:
        async with app.router.lifespan_context(app):
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, server.handle_exit, number, None)
            await server.serve(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"{host} port {port} cannot be listened on: {error.strerror}") from error


class _Server(uvicorn.Server):
    """uvicorn raises a signal again when it has served; then nothing after it would be closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def announce(admin: FirstAdmin) -> None:
    """Print the first admin, once: with its secret only if nobody knows it yet."""
    lines = [f"First admin of realm {admin.realm}: client id {admin.client_id}"]
    if admin.generated:
        lines.append(f"Client secret, shown this once: {admin.secret.reveal()}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
