"""A client's keys: the one that signs, possibly the next one, and those that signed recently."""

import time
from collections.abc import Callable
from typing import Final

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import SigningKey

WITHDRAWN_AFTER_SECONDS: Final = 75.0
"""A minute, the lifetime of an assertion, plus the clock skew that verifiers allow."""


class RotationError(KeyturnError):
    """The new key was not accepted in time, or another rotation is in progress; the former key still
    signs."""

    code = "rotation"


class ClientKeys:
    """A client's private keys and the public ones it publishes. Private keys stay in this object.

    ``withdrawn_after``: seconds for which a key that no longer signs stays published. ``now``: a monotonic
    clock.
    """

    def __init__(
        self,
        signing: SigningKey,
        *,
        withdrawn_after: float = WITHDRAWN_AFTER_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signing = signing
        self._next: SigningKey | None = None
        self._former: list[tuple[float, VerificationKey]] = []
        self._withdrawn_after = withdrawn_after
        self._now = now

    @property
    def signing(self) -> SigningKey:
        """The key that signs now."""
        return self._signing

    @property
    def jwks(self) -> dict[str, object]:
        """Return the JWK Set to publish: every key that a verifier may meet now or soon."""
        self._withdraw()
        keys = [self._signing.verification_key]
        if self._next is not None:
            keys.append(self._next.verification_key)
        keys += [key for _, key in self._former]
        return {"keys": [key.public_jwk for key in keys]}

    def publish(self, key: SigningKey) -> None:
        """Publish a key before it signs. Raises RotationError while another one is pending."""
        if self._next is not None:
            raise RotationError("another rotation is in progress")
        self._next = key

    def promote(self) -> None:
        """Sign with the published key from now on. Raises RotationError when there is none."""
        if self._next is None:
            raise RotationError("no key was published")
        self._former.append((self._now() + self._withdrawn_after, self._signing.verification_key))
        self._signing, self._next = self._next, None

    def give_up(self) -> None:
        """Withdraw a published key that has not signed for other requests."""
        self._next = None

    def _withdraw(self) -> None:
        now = self._now()
        self._former = [(at, key) for at, key in self._former if now < at]
