"""A client's keys: one that signs, perhaps one that is about to, and those that signed a moment ago."""

import time
from collections.abc import Callable
from typing import Final

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import SigningKey

WITHDRAWN_AFTER_SECONDS: Final = 75.0
"""A minute, which an assertion may live, and the clock skew that verifiers allow for."""


class RotationError(KeyturnError):
    """The new key was not accepted in time, or another rotation is under way. The former goes on signing."""

    code = "rotation"


class ClientKeys:
    """What a client holds and what it publishes. Private keys stay in this object.

    ``withdrawn_after``: seconds for which a key that no longer signs stays published. ``now``: any clock that
    runs on evenly.
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
        """The JWK Set to publish: every key that a verifier may meet, or is about to."""
        self._withdraw()
        keys = [self._signing.verification_key]
        if self._next is not None:
            keys.append(self._next.verification_key)
        keys += [key for _, key in self._former]
        return {"keys": [key.public_jwk for key in keys]}

    def publish(self, key: SigningKey) -> None:
        """Publish a key before it signs. Raises RotationError while another one waits for that."""
        if self._next is not None:
            raise RotationError("another rotation is under way")
        self._next = key

    def promote(self) -> None:
        """Sign with the published key from now on. Raises RotationError when there is none."""
        if self._next is None:
            raise RotationError("no key was published")
        self._former.append((self._now() + self._withdrawn_after, self._signing.verification_key))
        self._signing, self._next = self._next, None

    def give_up(self) -> None:
        """Withdraw a published key that never signed for anybody."""
        self._next = None

    def _withdraw(self) -> None:
        now = self._now()
        self._former = [(at, key) for at, key in self._former if now < at]
