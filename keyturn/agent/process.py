"""The agent as a process."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from keyturn.agent.application import AgentApplication
from keyturn.agent.files import FileWriter
from keyturn.agent.listening import identity, listen, remove
from keyturn.agent.settings import SECRET, AgentSettings, AgentSettingsError
from keyturn.agent.tokens import Tokens
from keyturn.client.credentials import ClientCredentials
from keyturn.client.secret_rotation import follow_secret_rotations
from keyturn.client.secrets import ClientSecret
from keyturn_shared.errors import KeyturnError
from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.logs import configure_logs
from keyturn_shared.tasks import end_tasks

_GRACE_SECONDS: Final = 5.0
_TIMEOUT_SECONDS: Final = 10.0


class AgentFailedError(KeyturnError):
    """A part of the agent has failed that must not; it ends, to be started again."""

    code = "agent_failed"


def run(path: Path) -> None:
    """Serve until SIGTERM or SIGINT. Raises AgentSettingsError and SecretStateError if it cannot start, and
    AgentFailedError if it cannot go on."""
    configure_logs(service="agent")
    settings = AgentSettings.read(path)
    asyncio.run(serve(settings, os.environ))


async def serve(settings: AgentSettings, environment: Mapping[str, str]) -> None:
    """Serve until a signal."""
    secret = ClientSecret(settings.first_secret(environment), state=Path(settings.state))
    secret.check()
    os.environ.pop(SECRET, None)
    # Over http, which is to this machine, a proxy would see the secret.
    http = httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS,
        verify=_authorities(settings),
        trust_env=settings.issuer.startswith("https:"),
    )

    def credentials(scope: str | None, resource: str | None) -> ClientCredentials:
        return ClientCredentials(settings.issuer, settings.client_id, secret, scope=scope, resource=resource)

    tokens = Tokens(credentials)
    application = AgentApplication(tokens, http, port=settings.port)
    server = HttpServer(application, AsgiConnection, drain_seconds=_GRACE_SECONDS)
    failed: list[BaseException | None] = []
    with listen(settings) as listening:
        own = identity(settings)
        async with http:
            tasks = [asyncio.create_task(follow_secret_rotations(secret, credentials(None, None), http))]
            tasks += [
                asyncio.create_task(FileWriter(file, secret, tokens, http).run()) for file in settings.files
            ]
            for task in tasks:
                task.add_done_callback(lambda _: server.stop())  # none of them ends by itself
            server.stop_on_signals()
            try:
                await server.serve(listening)
                failed = [task.exception() for task in tasks if task.done()]
            finally:
                await end_tasks(*tasks)
                remove(settings, own)
    if failed:
        raise AgentFailedError(f"the agent cannot go on: {failed[0]!r:.300}")


def _authorities(settings: AgentSettings) -> ssl.SSLContext | bool:
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise AgentSettingsError(f"ca_file {settings.ca_file} cannot be used: {error}") from error
