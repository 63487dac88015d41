"""Takes a client's new secret whenever a rotation has made one."""

import asyncio
import logging
import math
from dataclasses import dataclass
from typing import Final, NoReturn

import httpx

from keyturn.client.credentials import ClientCredentials
from keyturn.client.keys import RotationError
from keyturn.client.repeating import Sleep, repeat
from keyturn.client.secrets import ClientSecret, SecretStateError

_SHORTEST_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 3600.0
"""Bounds of the interval that a server gives."""

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
    if seen.secret is not None and seen.rotation is not None:
        secret.use(seen.secret)
        answer = await http.send(credentials.rotation_request(confirmed=seen.rotation), auth=None)
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """A response. ``rotation``: its id. ``interval``: seconds."""

    rotation: str | None
    secret: str | None
    interval: float


async def _ask(secret: ClientSecret, credentials: ClientCredentials, http: httpx.AsyncClient) -> _Seen:
    sent = secret.reveal()
    answer = await http.send(credentials.rotation_request(secret=sent), auth=None)
    if answer.status_code == 401:
        for other in secret.others(sent):
            answer = await http.send(credentials.rotation_request(secret=other), auth=None)
            if answer.status_code == 200:
                secret.use(other)
                break
    if answer.status_code != 200:
        raise RotationError(f"{answer.status_code}: {answer.text[:200]}")
    return _read(answer)


def _read(answer: httpx.Response) -> _Seen:
    """Read a response. Raises RotationError if it is not what was expected; its text may have a secret."""
    try:
        body = answer.json()
        rotation = None if body["rotation"] is None else body["rotation"]["id"]
        secret, interval = body.get("secret"), float(body["interval"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RotationError("the response is not that of a rotation") from None
    for text in (rotation, secret):
        if text is not None and (not isinstance(text, str) or not text):
            raise RotationError("the response is not that of a rotation")
    if not math.isfinite(interval):
        raise RotationError("the response has no interval")
    return _Seen(rotation, secret, min(max(interval, _SHORTEST_SECONDS), _LONGEST_SECONDS))
