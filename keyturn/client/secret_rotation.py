"""Takes a client's new secret whenever a rotation has made one."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn

import httpx

from keyturn.client.credentials import ClientCredentials
from keyturn.client.keys import RotationError
from keyturn.client.secrets import ClientSecret, SecretStateError

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 300.0
_JITTER: Final = 0.1

_log = logging.getLogger(__name__)


async def take_new_secret(
    secret: ClientSecret, credentials: ClientCredentials, http: httpx.AsyncClient
) -> float:
    """Take the new secret if the client's rotation has one, and confirm that. Return the seconds after which
    to look again.

    The new secret is stored before the server is told, so a crash at any moment loses none. Raises
    RotationError if the server refuses, SecretStateError, and errors of httpx.
    """
    seen = await _ask(secret, credentials, http)
    new, rotation = seen.get("secret"), seen.get("rotation")
    if new is not None and rotation is not None:
        secret.use(new)
        answer = await http.send(credentials.rotation_request(confirmed=rotation["id"]), auth=None)
        if answer.status_code != 200:
            raise RotationError(f"the new secret could not be confirmed: {answer.status_code}")
    return float(seen.get("interval", _LONGEST_PAUSE_SECONDS))


async def keep_secret_new(
    secret: ClientSecret,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> NoReturn:
    """Take every new secret, for as long as the task runs. A server that is away or refuses is asked again,
    at growing intervals; the secret in use stays in use."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            wait = await take_new_secret(secret, credentials, http)
            pause = _FIRST_PAUSE_SECONDS
        except (httpx.HTTPError, RotationError, SecretStateError) as error:
            _log.warning("the client's rotation cannot be seen: %s", error)
            wait, pause = pause, min(2 * pause, _LONGEST_PAUSE_SECONDS)
        await sleep(wait * random.uniform(1 - _JITTER, 1))  # noqa: S311 - not a secret


async def _ask(
    secret: ClientSecret, credentials: ClientCredentials, http: httpx.AsyncClient
) -> dict[str, Any]:
    answer = await http.send(credentials.rotation_request(), auth=None)
    if answer.status_code == 401:
        for other in secret.others:
            answer = await http.send(credentials.rotation_request(secret=other), auth=None)
            if answer.status_code == 200:
                secret.use(other)
                break
    if answer.status_code != 200:
        raise RotationError(f"{answer.status_code}: {answer.text[:200]}")
    try:
        seen = answer.json()
    except ValueError:
        seen = None
    if not isinstance(seen, dict):
        raise RotationError("the response is not a JSON object")
    return seen
