"""Rotates a client's key without a failed request: publish, wait, prove, sign, withdraw."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from keyturn.client.credentials import ClientCredentials
from keyturn.client.keys import ClientKeys, RotationError
from keyturn_shared.jose.signing import SigningKey

SETTLED_AFTER_SECONDS: Final = 11.0
"""The minimum time between two fetches of a JWKS URL for an unknown kid, plus a second: after that, a
verifier fetches the new key when it meets it."""
_PROVED_EVERY_SECONDS: Final = 1.0
_PROVED_WITHIN: Final = 120


async def rotate(
    keys: ClientKeys,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    *,
    new: SigningKey | None = None,
    settled_after: float = SETTLED_AFTER_SECONDS,
    proved_every: float = _PROVED_EVERY_SECONDS,
    attempts: int = _PROVED_WITHIN,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Rotate to a new key, once the fleet has proved that it accepts it.

    The new key is published first. The rotation itself requests the first token with it, and only after that
    do other requests use it: a key known to one verifier is known to all, since they share what was fetched.
    The former key stays published for as long as an assertion under it may live. ``new``: by default a key
    for the same algorithm. Raises RotationError when the new key is not accepted within ``attempts``; it is
    then withdrawn and nothing has changed.
    """
    key = new or SigningKey.generate(keys.signing.algorithm.name)
    keys.publish(key)
    try:
        await sleep(settled_after)
        for _ in range(attempts):
            if await _accepted(credentials, key, http):
                keys.promote()
                return
            await sleep(proved_every)
        raise RotationError(f"no token under the new key after {attempts} attempts")
    except BaseException:  # however it ends, also cancelled: an unproved key is not left published
        keys.give_up()
        raise


async def _accepted(credentials: ClientCredentials, key: SigningKey, http: httpx.AsyncClient) -> bool:
    try:
        answer = await http.send(credentials.token_request(key), auth=None)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200
