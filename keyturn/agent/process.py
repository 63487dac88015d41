"""The agent as a process."""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx

from keyturn.agent.application import AgentApplication, PublishedKeys
from keyturn.agent.credential import SECRET, credential_of
from keyturn.agent.files import FileWriter
from keyturn.agent.listening import identity, listen, listen_for_keys, remove
from keyturn.agent.servers import Servers
from keyturn.agent.settings import AgentSettings, AgentSettingsError
from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.making import make_runners
from keyturn.agent.sinks.owners import check_owner
from keyturn.agent.tokens import Tokens
from keyturn.client.credentials import ClientCredentials
from keyturn.client.key_rotation import follow_key_rotations
from keyturn.client.keys import ClientKeys
from keyturn.client.secret_rotation import follow_secret_rotations
from keyturn.client.secrets import ClientSecret
from keyturn_shared.logs import configure_logs

_GRACE_SECONDS: Final = 5.0
_TIMEOUT_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


def run(path: Path) -> None:
    """Serve until SIGTERM or SIGINT. Raises AgentSettingsError, FileOwnerError, MissingExtraError,
    SecretStateError and KeyStateError if it cannot start, and AgentFailedError if it cannot go on."""
    configure_logs(service="agent")
    settings = AgentSettings.read(path)
    asyncio.run(serve(settings, os.environ))


async def serve(settings: AgentSettings, environment: Mapping[str, str]) -> None:
    """Serve until a signal."""
    credential = credential_of(settings, environment)
    secret = credential if isinstance(credential, ClientSecret) else None
    keys = credential if isinstance(credential, ClientKeys) else None
    for file in settings.files:
        check_owner(Path(file.path), file.owner, file.group)
    os.environ.pop(SECRET, None)
    # Over http, which is to this machine, a proxy would see the secret.
    http = httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS,
        verify=_authorities(settings),
        trust_env=settings.issuer.startswith("https:"),
    )

    def credentials(scope: str | None, resource: str | None) -> ClientCredentials:
        return ClientCredentials(
            settings.issuer, settings.client_id, credential, scope=scope, resource=resource
        )

    tokens = Tokens(credentials)
    files = [FileWriter(file, secret, tokens, http) for file in settings.files]
    client = Client(settings.issuer, settings.client_id)
    sinks = [] if secret is None else make_runners(settings, client, secret, settings.state, environment)
    statuses = [*(file.status for file in files), *(sink.status for sink in sinks)]
    with ExitStack() as sockets:
        servers = Servers(drain_seconds=_GRACE_SECONDS)
        application = AgentApplication(tokens, http, port=settings.port, keys=keys, sinks=statuses)
        listening = sockets.enter_context(listen(settings))
        servers.add(application, listening)
        identified = identity(settings)
        sockets.callback(lambda: remove(settings, identified))
        public = listen_for_keys(settings)
        if public is not None and keys is not None:
            servers.add(PublishedKeys(keys), sockets.enter_context(public))
        _log.info("serves client %s at %s", settings.client_id, _address(listening))
        async with http:
            following = _follow(credential, credentials(None, None), http)
            writing = [*(file.run() for file in files), *(sink.run() for sink in sinks)]
            await servers.run_beside([following, *writing])


def _follow(
    credential: ClientSecret | ClientKeys, credentials: ClientCredentials, http: httpx.AsyncClient
) -> Coroutine[Any, Any, object]:
    """Return what takes new secrets, or brings new keys, for ever."""
    if isinstance(credential, ClientSecret):
        return follow_secret_rotations(credential, credentials, http)
    return follow_key_rotations(credential, credentials, http)


def _address(listening: socket.socket) -> str:
    """Return the path of a Unix socket, or host and port."""
    name = listening.getsockname()
    return name if isinstance(name, str) else f"{name[0]}:{name[1]}"


def _authorities(settings: AgentSettings) -> ssl.SSLContext | bool:
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise AgentSettingsError(f"ca_file {settings.ca_file} cannot be used: {error}") from error
