"""Ports of ``keyturn_shared.oauth`` that leave no trace: nothing is marked, counted or signed."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from keyturn_credentials.authorization.used_assertions import DatabaseAssertions
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, UseOutcome
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS, EcdsaAlgorithm, RsaAlgorithm
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import header_segment
from keyturn_shared.oauth.errors import BeforeReplayBarrierError, ReplayedError

_ED25519_SIGNATURE: Final = 64


class NothingNoted:
    """A ``CredentialsInUse`` that notes nothing."""

    def note(self, client_uuid: str, name: str) -> None:
        """Do nothing."""


class UnmarkedAssertions:
    """A ``UsedAssertions`` of the fleet that looks for marks and makes none. ``partitioning``: reads which
    partitions are in use."""

    def __init__(
        self, scripts: Scripts, partitioning: Callable[[], Awaitable[Partitioning]], leeway_seconds: float
    ) -> None:
        self._scripts = scripts
        self._partitioning = partitioning
        self._leeway = leeway_seconds

    async def mark_used(self, use: AssertionUse) -> None:
        """Raise ReplayedError or BeforeReplayBarrierError where marking would, and
        RedisUnavailableError."""
        outcomes = [
            await AssertionRegistry(self._scripts, self._leeway, Layout(number)).find(use)
            for number in (await self._partitioning()).of(use.jti)
        ]
        if UseOutcome.USED in outcomes:
            raise ReplayedError("this jti is known")
        if UseOutcome.BEFORE_BARRIER in outcomes:
            raise BeforeReplayBarrierError("issued before replay memory was lost")


class UnmarkedAdministrators:
    """A ``UsedAssertions`` of administrators, in the same way."""

    def __init__(self, used: DatabaseAssertions) -> None:
        self._used = used

    async def mark_used(self, use: AssertionUse) -> None:
        """Raise ReplayedError and UnavailableError where marking would, and StoreUnavailableError."""
        await self._used.require_unused(use)


class UnsignedTokens:
    """A ``CompactSigner`` in the place of a realm's key. In the place of the signature is as much that is
    none, so a token has its true size, and nobody can use it."""

    def __init__(self, public_jwk: Mapping[str, object]) -> None:
        """``public_jwk``: with an ``alg``. Raises InvalidKeyError."""
        self.verification_key = VerificationKey.from_jwk(public_jwk)
        self._nothing = bytes(_signature_bytes(self.verification_key))

    def header_segment(self, typ: str = "JWT") -> bytes:
        key = self.verification_key
        return header_segment(str(key.alg), kid=key.kid, typ=typ)

    def sign_compact(self, header: bytes, claims: Mapping[str, Any]) -> str:
        """Put header and claims together, and sign nothing."""
        parts = (header, base64url.encode(strict_json.encode(claims)), base64url.encode(self._nothing))
        return b".".join(parts).decode("ascii")


def _signature_bytes(key: VerificationKey) -> int:
    algorithm = SIGNATURE_ALGORITHMS.get(str(key.alg))
    if isinstance(algorithm, RsaAlgorithm):
        return ((key.bits or 0) + 7) // 8
    if isinstance(algorithm, EcdsaAlgorithm):
        return 2 * ((algorithm.curve.key_size + 7) // 8)
    return _ED25519_SIGNATURE
