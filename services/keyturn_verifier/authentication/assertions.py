"""Checks a client's signed assertion (RFC 7523 section 3), in the order of the rules it must keep."""

from collections.abc import Mapping
from typing import Any, Protocol

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.fleet.uses import name_of_key, name_of_secret
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.jose.claims import judge_times
from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import BadSignatureError, JoseError, MissingClaimError, UnknownKidError
from keyturn_shared.jose.jwk import Thumbprint, VerificationKey
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature
from keyturn_shared.projection import ClientProjection, ProjectedSecret, RealmProjection
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret
from keyturn_verifier.authentication.replay import AssertionClaims
from keyturn_verifier.errors import (
    AuthenticatorMismatchError,
    KeyRevokedError,
    WrongAudienceError,
    WrongIssuerError,
)
from keyturn_verifier.key_sets.errors import KeysUnavailableError


class KeyLookup(Protocol):
    """Finds the keys of a client that a token may have been signed with."""

    async def find(
        self,
        realm: RealmProjection,
        client: ClientProjection,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        besides: frozenset[str] = frozenset(),
    ) -> tuple[VerificationKey, ...]:
        """At least one key, revoked ones perhaps among them; by a thumbprint, that very key. ``besides``:
        thumbprints of keys that were tried in vain.

        Raises UnknownKidError and KeysUnavailableError.
        """
        ...


class AssertionCheck:
    """Checks tokens signed by clients: assertions, and tokens that callers of ``/verify`` ask about."""

    def __init__(
        self,
        keys: KeyLookup,
        ring: KeyRing,
        claims: AssertionClaims,
        clock: Clock,
        *,
        lifetime_cap: int,
        clock_skew: float,
    ) -> None:
        self._keys = keys
        self._ring = ring
        self._claims = claims
        self._clock = clock
        self._lifetime_cap = lifetime_cap
        self._clock_skew = clock_skew

    async def check_signature(
        self, token: UnverifiedToken, realm: RealmProjection, client: ClientProjection
    ) -> str:
        """Algorithm, key and signature; the name of the credential (``keyturn_shared.fleet.uses``).

        Raises JoseError, KeyRevokedError, KeysUnavailableError.
        """
        if client.authenticator == "client-secret-jwt":
            require_algorithm(token, (client.signing_alg,) if client.signing_alg else SYMMETRIC_NAMES)
            return name_of_secret(self._check_mac(token, client).digest)
        require_algorithm(token, (client.signing_alg,) if client.signing_alg else ASYMMETRIC_NAMES)
        header = token.header
        candidates = await self._keys.find(realm, client, header.kid, header.algorithm.name)
        try:
            key = _signer(token, candidates)
        except BadSignatureError:
            if client.jwks_url is None:
                raise  # the keys that are configured are all there are
            key = await self._newer_signer(token, realm, client, candidates)
        if key.thumbprint in client.revoked_thumbprints:
            raise KeyRevokedError(key.thumbprint)
        return name_of_key(key.thumbprint)

    async def _newer_signer(
        self,
        token: UnverifiedToken,
        realm: RealmProjection,
        client: ClientProjection,
        tried: tuple[VerificationKey, ...],
    ) -> VerificationKey:
        """A client may have put another key under the same kid, or under none."""
        besides = frozenset(key.thumbprint for key in tried)
        try:
            newer = await self._keys.find(
                realm, client, token.header.kid, token.header.algorithm.name, besides=besides
            )
        except (UnknownKidError, KeysUnavailableError):
            raise BadSignatureError(f"none of {len(tried)} keys") from None
        return _signer(token, newer)

    def check_claims(
        self, claims: Mapping[str, Any], client: ClientProjection, audiences: frozenset[str]
    ) -> float:
        """Issuer, audience and times. The moment from which on the token will be refused.

        Raises WrongIssuerError, WrongAudienceError, JoseError.
        """
        if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
            raise WrongIssuerError("iss and sub have to be the client")
        check_audience(claims, audiences)
        return judge_times(
            claims,
            now=self._clock.now(),
            leeway=self._clock_skew,
            lifetime_cap=client.max_assertion_lifetime or self._lifetime_cap,
        )

    async def claim(self, claims: Mapping[str, Any], client: ClientProjection, refused_from: float) -> None:
        """Mark the token as used, once in the fleet. Raises MissingClaimError, ReplayedError,
        BeforeReplayBarrierError, RedisUnavailableError."""
        jti = claims.get("jti")
        if not jti:
            raise MissingClaimError("jti")
        issued_at = claims.get("iat")
        if issued_at is None:
            # It can have been used since its expiry came within the cap: see ``judge_times``.
            issued_at = claims["exp"] - (client.max_assertion_lifetime or self._lifetime_cap)
        remember = refused_from - self._clock.now()
        await self._claims.claim(AssertionUse(client.uuid, jti, remember, issued_at))

    def _check_mac(self, token: UnverifiedToken, client: ClientProjection) -> ProjectedSecret:
        now = self._clock.now()
        refused: JoseError = BadSignatureError("the client has no secret for this algorithm")
        for projected in client.secrets:
            if projected.sealed is None or (projected.not_after is not None and now >= projected.not_after):
                continue
            secret = Secret(self._ring.open(projected.sealed, f"client-secret:{client.uuid}").decode())
            try:
                verify_signature(token, SymmetricKey(secret))
            except JoseError as error:
                refused = error
            else:
                return projected
        raise refused


def require_signing(client: ClientProjection) -> None:
    """Raise AuthenticatorMismatchError unless the client proves itself by what it signs: one that does not
    may have keys or secrets that an operator does not trust any more."""
    if client.authenticator not in ("client-jwt", "client-secret-jwt"):
        raise AuthenticatorMismatchError(f"an assertion with {client.authenticator}")


def check_audience(claims: Mapping[str, Any], accepted: frozenset[str]) -> None:
    """Raise unless ``aud`` names one of ``accepted`` and nobody else: what others accept too, they can use
    against us."""
    audience = claims.get("aud")
    if audience is None:
        raise MissingClaimError("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not named or not accepted.issuperset(named):
        raise WrongAudienceError(f"{len(named)} audiences")


def _signer(token: UnverifiedToken, candidates: tuple[VerificationKey, ...]) -> VerificationKey:
    for key in candidates:
        try:
            verify_signature(token, key)
        except BadSignatureError:
            continue
        return key
    raise BadSignatureError(f"none of {len(candidates)} keys")
