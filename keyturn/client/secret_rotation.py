"""Takes a client's new secret whenever a rotation has made one."""

import asyncio
import logging
from typing import NoReturn

import httpx

from keyturn.client.credentials import ClientCredentials
from keyturn.client.keys import RotationError
from keyturn.client.own_rotation import see_rotation
from keyturn.client.repeating import Sleep, repeat
from keyturn.client.secrets import ClientSecret, SecretStateError

_log = logging.getLogger(__name__)


async def take_new_secret(
    secret: ClientSecret, credentials: ClientCredentials, http: httpx.AsyncClient
) -> float:
    """Take the new secret if the client's rotation has one, and confirm that. Return the seconds after which
    to look again.

    The new secret is stored before the server is told, so a crash at any moment loses none. Raises
    RotationError if the server refuses, SecretStateError, and errors of httpx.
    """

    def request(used: str) -> httpx.Request:
        return credentials.rotation_request(secret=used)

    seen = await see_rotation(http, request, secret.reveal(), secret.others, secret.use)
    if seen.secret is not None and seen.rotation is not None:
        secret.use(seen.secret)
        _log.info("a new secret is in use")
        answer = await http.send(
            credentials.rotation_request(confirmed=seen.rotation.id), auth=None, follow_redirects=False
        )
        if answer.status_code not in (200, 404):  # 404: the rotation has ended, since the secret was used
            raise RotationError(f"the new secret could not be confirmed: {answer.status_code}")
    return seen.interval


async def follow_secret_rotations(
    secret: ClientSecret,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    *,
    sleep: Sleep = asyncio.sleep,
) -> NoReturn:
    """Take every new secret, for as long as the task runs. A server that is away or refuses is asked again,
    at growing intervals; the secret in use stays in use."""

    def failed(error: Exception) -> None:
        _log.warning("the client's rotation cannot be seen: %s", str(error) or type(error).__name__)

    await repeat(
        lambda: take_new_secret(secret, credentials, http),
        survives=(httpx.HTTPError, RotationError, SecretStateError),
        failed=failed,
        sleep=sleep,
    )
