"""Brings the server a client's new key whenever the policy of its realm wants one."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

import httpx

from keyturn.client.credentials import ClientCredentials
from keyturn.client.key_state import KeyStateError
from keyturn.client.keys import ClientKeys, RotationError
from keyturn.client.own_rotation import OwnRotation, read_rotation, see_rotation
from keyturn.client.repeating import Sleep, repeat
from keyturn.client.rotation import SETTLED_AFTER_SECONDS, NextKey, Proving, maker_of_next, publish_next
from keyturn.client.signer import Signer, SignerError, thumbprint_of

_NODES: Final = "nodes"
"""The wait of a rotation for every node to apply its newest change."""
_LONGEST_NODES_LOOK_SECONDS: Final = 16.0
"""Longest pause between two looks at whether every node has a key, while the server refuses to say."""
_PUBLISHED: Final = "keys_published"
"""The error for a client whose next key is read from its JWKS URL, and not registered."""

_log = logging.getLogger(__name__)


async def offer_new_key(
    keys: ClientKeys,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    *,
    new_key: Callable[[], Signer] | None = None,
    settled_after: float = SETTLED_AFTER_SECONDS,
    sleep: Sleep = asyncio.sleep,
) -> float:
    """Offer a new key if the policy wants one now, and use it once it is accepted. Return the seconds after
    which to look again.

    A server that has registered the former key registers the new one; a client with a JWKS URL publishes it.
    It is stored before the server is told, so a crash at any moment loses none, and the next look continues.
    The former key is kept until the rotation has ended, and used again if the new one is refused. ``new_key``
    makes the new key; by default it is generated for the same algorithm. Raises RotationError if the server
    refuses, KeyStateError, SignerError, errors of httpx, and TypeError if there has to be a ``new_key``.
    """

    def request(used: Signer) -> httpx.Request:
        return credentials.rotation_request(key=used)

    seen = await see_rotation(http, request, keys.signing, keys.others, keys.use)
    rotation = seen.rotation
    if rotation is None or rotation.kind != "key" or not rotation.is_open:
        with suppress(RotationError), keys.rotating():  # a pending key may be that of another task
            keys.settle()
        return seen.interval
    is_interrupted = keys.pending is not None and not rotation.paused
    if is_interrupted or (rotation.wants_key and keys.answered != rotation.id):
        with keys.rotating():
            proving = Proving(settled_after=settled_after, sleep=sleep)
            await _replace_key(keys, credentials, http, rotation, new_key, proving)
    return seen.interval


async def follow_key_rotations(
    keys: ClientKeys,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    *,
    new_key: Callable[[], Signer] | None = None,
    settled_after: float = SETTLED_AFTER_SECONDS,
    sleep: Sleep = asyncio.sleep,
) -> NoReturn:
    """Offer a new key whenever the policy wants one, for as long as the task runs. A server that is away or
    refuses is asked again, at growing intervals; the key in use stays in use. Raises TypeError if there has
    to be a ``new_key``."""
    make = NextKey(new_key or maker_of_next(keys.signing))

    def failed(error: Exception) -> None:
        _log.warning("the client's rotation does not go on: %s", str(error) or type(error).__name__)

    async def look() -> float:
        interval = await offer_new_key(
            keys, credentials, http, new_key=make, settled_after=settled_after, sleep=sleep
        )
        make.was_used()
        return interval

    await repeat(
        look,
        survives=(httpx.HTTPError, RotationError, KeyStateError, SignerError),
        failed=failed,
        sleep=sleep,
    )


async def _replace_key(
    keys: ClientKeys,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    rotation: OwnRotation,
    new_key: Callable[[], Signer] | None,
    proving: Proving,
) -> None:
    """Store, tell, prove, sign. A failure leaves the new key pending: the next look goes on with it."""
    if keys.pending is None and keys.answered == rotation.id:
        return  # by another process, since the look
    made = None if keys.pending is not None or new_key is None else new_key()
    key = publish_next(keys, made)
    registered = await _register(keys, credentials, http, key, rotation)
    if registered is None:
        await proving.sleep(proving.settled_after)
    elif registered.waits_for == _NODES:
        await _until_every_node_has_it(keys, credentials, http, proving)
    await proving.prove(credentials, key, http)
    keys.use(key, answered=rotation.id, keep=registered is not None)
    _log.info("a new key signs: %s", thumbprint_of(key))


async def _register(
    keys: ClientKeys,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    key: Signer,
    rotation: OwnRotation,
) -> OwnRotation | None:
    """Tell the server the new key. Return the rotation for which it is registered; None for a client that
    publishes its keys at a JWKS URL. Raises RotationError and errors of httpx; a key that the server will
    never register is given up then."""
    answer = await http.send(credentials.rotation_request(next_key=key), auth=None, follow_redirects=False)
    if answer.status_code == 409 and _error_in(answer) == _PUBLISHED:
        return None
    if answer.status_code == 400 and not rotation.wants_key:
        return rotation  # it went on before a restart; whether it has this key will be seen
    if answer.status_code in (400, 403):
        keys.give_up()
    return read_rotation(answer).rotation or rotation


def _error_in(answer: httpx.Response) -> object:
    """Return the error of a response (RFC 6749 section 5.2); None if it has none."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    return body.get("error") if isinstance(body, dict) else None


async def _until_every_node_has_it(
    keys: ClientKeys, credentials: ClientCredentials, http: httpx.AsyncClient, proving: Proving
) -> None:
    """Wait until the rotation waits for nodes no longer. A registered key that one node accepts may still be
    unknown to another. Raises RotationError; the new key is pending then, and the next look goes on."""
    pause = proving.proved_every
    for _ in range(proving.attempts):
        await proving.sleep(pause)
        try:
            request = credentials.rotation_request(key=keys.signing)
            rotation = read_rotation(await http.send(request, auth=None, follow_redirects=False)).rotation
        except (httpx.HTTPError, RotationError):  # it may have more to do than it can
            pause = min(2 * pause, max(_LONGEST_NODES_LOOK_SECONDS, proving.proved_every))
            continue
        if rotation is None or rotation.waits_for != _NODES:
            return
        pause = proving.proved_every
    raise RotationError(f"some nodes do not have the new key after {proving.attempts} looks")
