"""Rotates a client's key without a failed request: publish, wait, prove, sign, withdraw."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn

import httpx

from keyturn.client.credentials import ClientCredentials
from keyturn.client.key_state import KeyStateError
from keyturn.client.keys import ClientKeys, RotationError
from keyturn.client.repeating import Sleep, repeat
from keyturn.client.signer import Signer, SignerError, TokenSigner, thumbprint_of
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.weak_keys import MIN_RSA_BITS

SETTLED_AFTER_SECONDS: Final = 11.0
"""The minimum time between two fetches of a JWKS URL for an unknown kid, plus a second: after that, a
verifier fetches the new key when it meets it."""
_PROVED_EVERY_SECONDS: Final = 1.0
_PROVED_WITHIN: Final = 120
_LONGEST_LOOK_SECONDS: Final = 3600.0
_SHORTEST_LOOK_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """Trials of a new key: after ``settled_after`` seconds if verifiers have to fetch it, then at most
    ``attempts`` times, ``proved_every`` seconds apart."""

    settled_after: float = SETTLED_AFTER_SECONDS
    proved_every: float = _PROVED_EVERY_SECONDS
    attempts: int = _PROVED_WITHIN
    sleep: Sleep = asyncio.sleep

    async def prove(self, credentials: ClientCredentials, key: Signer, http: httpx.AsyncClient) -> None:
        """Request a token with the key until there is one. Raises RotationError."""
        for _ in range(self.attempts):
            with suppress(httpx.HTTPError):
                answer = await http.send(credentials.token_request(key), auth=None, follow_redirects=False)
                if answer.status_code == 200:
                    return
            await self.sleep(self.proved_every)
        raise RotationError(f"no token under the new key after {self.attempts} attempts")


async def rotate(
    keys: ClientKeys,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    *,
    new: Signer | None = None,
    settled_after: float = SETTLED_AFTER_SECONDS,
    proved_every: float = _PROVED_EVERY_SECONDS,
    attempts: int = _PROVED_WITHIN,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Rotate to a new key, once the fleet has proved that it accepts it.

    The new key is published first. The rotation itself requests the first token with it, and only after that
    do other requests use it: a key known to one verifier is known to all, since they share what was fetched.
    The former key stays published for as long as an assertion under it may live. ``new``: by default the key
    of a rotation that a restart has interrupted, or else one for the same algorithm. Raises RotationError
    when the new key is not accepted within ``attempts``; it is then withdrawn and nothing has changed. Raises
    KeyStateError, SignerError, and TypeError if there has to be a ``new`` key.
    """
    proving = Proving(settled_after=settled_after, proved_every=proved_every, attempts=attempts, sleep=sleep)
    with keys.rotating():
        key = publish_next(keys, new)
        try:
            await sleep(settled_after)
            await proving.prove(credentials, key, http)
            keys.use(key)
        except BaseException:  # however it ends, also cancelled: an unproved key is not left published
            with suppress(KeyStateError):  # it stays published then, and the next rotation goes on with it
                keys.give_up()
            raise


async def rotate_on_schedule(
    keys: ClientKeys,
    credentials: ClientCredentials,
    http: httpx.AsyncClient,
    *,
    every: timedelta,
    new_key: Callable[[], Signer] | None = None,
    settled_after: float = SETTLED_AFTER_SECONDS,
    sleep: Sleep = asyncio.sleep,
) -> NoReturn:
    """Rotate the key of a client with a JWKS URL whenever it has signed for ``every``, as long as the task
    runs.

    With ``state``, the time counts over restarts, and a rotation that one has interrupted is continued at
    once. ``new_key`` makes the next key; by default it is generated for the same algorithm. A rotation that
    fails is tried again, at growing intervals; the key in use stays in use. Raises ValueError for a time that
    is not positive, and TypeError if there has to be a ``new_key``.
    """
    seconds = every.total_seconds()
    if seconds <= 0:
        raise ValueError("every must be more than zero")
    next_of = NextKey(new_key or maker_of_next(keys.signing))

    async def rotate_if_due() -> float:
        if keys.pending is not None or keys.age >= seconds:
            new = None if keys.pending is not None else next_of()
            await rotate(keys, credentials, http, new=new, settled_after=settled_after, sleep=sleep)
            next_of.was_used()
        return min(max(seconds - keys.age, _SHORTEST_LOOK_SECONDS), _LONGEST_LOOK_SECONDS)

    def failed(error: Exception) -> None:
        _log.warning("the key is not rotated: %s", str(error) or type(error).__name__)

    await repeat(
        rotate_if_due, survives=(RotationError, KeyStateError, SignerError), failed=failed, sleep=sleep
    )


class NextKey:
    """Makes the next key, and keeps it for the next attempt if the rotation fails: a token has room for few,
    and keeps them all."""

    def __init__(self, make: Callable[[], Signer]) -> None:
        self._make = make
        self._made: Signer | None = None

    def __call__(self) -> Signer:
        self._made = self._made or self._make()
        return self._made

    def was_used(self) -> None:
        """Let the next call make another one."""
        self._made = None


def publish_next(keys: ClientKeys, new: Signer | None) -> Signer:
    """Publish the next key and return it: the pending one, unless another one is given; one is generated if
    there is none. Raises RotationError, KeyStateError and TypeError."""
    pending = keys.pending
    if pending is not None and (new is None or thumbprint_of(new) == thumbprint_of(pending)):
        return pending
    key = new or maker_of_next(keys.signing)()
    keys.give_up()
    keys.publish(key)
    return key


def maker_of_next(signing: Signer) -> Callable[[], Signer]:
    """Return a function that generates a key like this one. Raises TypeError if there is none."""
    if isinstance(signing, TokenSigner):
        return signing.generate_next
    if not isinstance(signing, SigningKey):
        raise TypeError("name the next key: only a SigningKey or Pkcs11Signer is followed by a generated one")
    bits = signing.verification_key.bits or MIN_RSA_BITS
    return lambda: SigningKey.generate(signing.algorithm, rsa_bits=bits)
