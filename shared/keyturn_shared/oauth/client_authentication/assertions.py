"""Checks a client's signed assertion (RFC 7523 section 3), in the order of its rules."""

from collections.abc import Mapping
from typing import Any, Protocol

from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import name_of_key, name_of_secret
from keyturn_shared.fleet.replay import AssertionUse, issuers_of, names_of_issuer
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import (
    BadSignatureError,
    JoseError,
    MissingClaimError,
    UnknownKidError,
)
from keyturn_shared.jose.jwk import Thumbprint, VerificationKey
from keyturn_shared.jose.key_set import Candidates
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature
from keyturn_shared.oauth.client_authentication.claims import check_audience, require_assertion_type
from keyturn_shared.oauth.client_authentication.issued_claims import check_identity
from keyturn_shared.oauth.errors import (
    AuthenticatorMismatchError,
    KeyRevokedError,
    SharedSecretError,
    WrongIssuerError,
)
from keyturn_shared.oauth.key_errors import KeysUnavailableError
from keyturn_shared.oauth.ports import UsedAssertions
from keyturn_shared.oauth.trusted_issuers import KeyOwner, TrustedIssuer
from keyturn_shared.projection import ClientProjection, ProjectedSecret, RealmProjection, secret_context
from keyturn_shared.realm_rings import RealmRings
from keyturn_shared.secret import Secret


class KeyLookup(Protocol):
    """Finds the keys of a client or a trusted issuer that may have signed a token."""

    async def find(
        self,
        realm: RealmProjection,
        client: KeyOwner,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        excluded: frozenset[str] = frozenset(),
    ) -> Candidates:
        """Return at least one key, possibly revoked; for a thumbprint, that very key.

        ``excluded``: thumbprints of keys that failed to verify the token. Raises UnknownKidError and
        KeysUnavailableError.
        """
        ...


class AssertionCheck:
    """Checks tokens signed by clients: assertions, and tokens that callers of ``/verify`` ask about.

    ``rings``: None in a process with public keys only; it refuses whatever clients sign with their secrets.
    """

    def __init__(
        self,
        keys: KeyLookup,
        rings: RealmRings | None,
        used_assertions: UsedAssertions,
        clock: Clock,
        *,
        lifetime_cap: int,
        clock_skew: float,
    ) -> None:
        self._keys = keys
        self._rings = rings
        self._used_assertions = used_assertions
        self._clock = clock
        self._lifetime_cap = lifetime_cap
        self._clock_skew = clock_skew

    async def check_signature(
        self, token: UnverifiedToken, realm: RealmProjection, client: ClientProjection
    ) -> str:
        """Check algorithm, key and signature. Return the name of the credential
        (``keyturn_shared.fleet.last_used``). Raises JoseError, KeyRevokedError, KeysUnavailableError."""
        authenticator = CLIENT_AUTHENTICATORS[client.authenticator]
        require_algorithm(token, (client.signing_alg,) if client.signing_alg else authenticator.algorithms)
        if authenticator.signs_with_secret:
            return name_of_secret(self._check_mac(token, client).digest)
        return name_of_key(await self.check_key(token, realm, client))

    async def check_key(self, token: UnverifiedToken, realm: RealmProjection, owner: KeyOwner) -> str:
        """Check the signature with the owner's keys. Return the thumbprint of the key that made it. Raises
        JoseError, KeyRevokedError, KeysUnavailableError."""
        header = token.header
        candidates = await self._keys.find(realm, owner, header.kid, header.algorithm.name)
        try:
            key = _signer(token, candidates)
        except BadSignatureError as refused:
            if not isinstance(owner, TrustedIssuer) and owner.jwks_url is None:
                raise  # the client has only its configured keys
            key = await self._newer_signer(token, realm, owner, candidates, refused)
        if key.thumbprint in owner.revoked_thumbprints:
            raise KeyRevokedError(key.thumbprint)
        return key.thumbprint

    async def _newer_signer(
        self,
        token: UnverifiedToken,
        realm: RealmProjection,
        owner: KeyOwner,
        tried: Candidates,
        refused: BadSignatureError,
    ) -> VerificationKey:
        """Look for a newer key: the client may have published another one under the same kid, or without a
        kid."""
        excluded = frozenset(key.thumbprint for key in tried)
        try:
            newer = await self._keys.find(
                realm, owner, token.header.kid, token.header.algorithm.name, excluded=excluded
            )
        except (UnknownKidError, KeysUnavailableError):
            raise refused from None
        return _signer(token, newer)

    def check_claims(
        self,
        token: UnverifiedToken,
        realm: RealmProjection,
        client: ClientProjection,
        audiences: frozenset[str],
    ) -> float:
        """Check kind, issuer, audience and times. Return the moment from which on the token will be refused.
        Raises WrongIssuerError, WrongAudienceError, JoseError."""
        require_assertion_type(token)
        claims = token.claims
        if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
            raise WrongIssuerError("iss and sub must be the client")
        check_audience(claims, audiences)
        return check_times(
            claims,
            now=self._clock.now(),
            leeway=self._clock_skew,
            lifetime_cap=client.max_assertion_lifetime or self._lifetime_cap,
            cap_declared_lifetime=realm.strict_assertion_lifetime,
        )

    async def mark_used(
        self,
        claims: Mapping[str, Any],
        realm: RealmProjection,
        client: ClientProjection,
        refused_from: float,
    ) -> None:
        """Mark the token as used, once in the fleet. Raises MissingClaimError, ReplayedError,
        BeforeReplayBarrierError, RedisUnavailableError."""
        lifetime_cap = client.max_assertion_lifetime or self._lifetime_cap
        await self._mark(
            claims, issuers_of(realm.name, client), refused_from, lifetime_cap + self._clock_skew
        )

    def check_issued_claims(
        self, token: UnverifiedToken, realm: RealmProjection, client: ClientProjection, issuer: TrustedIssuer
    ) -> float:
        """Check the claims of an assertion by a trusted issuer, as ``check_claims`` does those of a client's
        own (``issued_claims``). Return the moment from which on every client of the issuer refuses it."""
        check_identity(token, client, issuer)
        of_issuer = issuer.projection.max_lifetime
        of_client = min(of_issuer, client.max_assertion_lifetime or of_issuer)
        refused_from = self._check_issued_times(token, realm, issuer, of_client)
        if of_client < of_issuer:
            return self._check_issued_times(token, realm, issuer, of_issuer)
        return refused_from

    async def mark_issued_used(
        self, claims: Mapping[str, Any], realm: RealmProjection, issuer: TrustedIssuer, refused_from: float
    ) -> None:
        """Mark the assertion as used, for every client of the issuer. Raises like ``mark_used``."""
        names = names_of_issuer(realm, issuer.projection)
        longest = issuer.projection.max_lifetime + self._skew_of(issuer)
        await self._mark(claims, names, refused_from, longest)

    def _check_issued_times(
        self, token: UnverifiedToken, realm: RealmProjection, issuer: TrustedIssuer, lifetime_cap: int
    ) -> float:
        return check_times(
            token.claims,
            now=self._clock.now(),
            leeway=self._skew_of(issuer),
            lifetime_cap=lifetime_cap,
            cap_declared_lifetime=realm.strict_assertion_lifetime,
        )

    def _skew_of(self, issuer: TrustedIssuer) -> float:
        declared = issuer.projection.clock_skew
        return self._clock_skew if declared is None else declared

    async def _mark(
        self, claims: Mapping[str, Any], issuers: tuple[str, ...], refused_from: float, longest: float
    ) -> None:
        """Mark an assertion under these names. ``longest``: seconds before its expiry in which one without
        ``iat`` can have been used; see ``check_times``."""
        jti = claims.get("jti")
        if not jti:
            raise MissingClaimError("jti")
        issued_at = claims.get("iat")
        if issued_at is None:
            issued_at = claims["exp"] - longest
        remember = refused_from - self._clock.now()
        await self._used_assertions.mark_used(AssertionUse(issuers, jti, remember, issued_at))

    def _check_mac(self, token: UnverifiedToken, client: ClientProjection) -> ProjectedSecret:
        if self._rings is None:
            raise SharedSecretError(client.client_id)
        ring = self._rings.require(client.realm_id)
        now = self._clock.now()
        refused: JoseError = BadSignatureError("the client has no secret for this algorithm")
        for projected in client.secrets:
            if projected.sealed is None or (projected.not_after is not None and now >= projected.not_after):
                continue
            secret = Secret(ring.open(projected.sealed, secret_context(client.uuid)).decode())
            try:
                verify_signature(token, SymmetricKey(secret))
            except JoseError as error:
                refused = error
            else:
                return projected
        raise refused


def require_signing(client: ClientProjection) -> None:
    """Raise AuthenticatorMismatchError unless the client authenticates with signatures. Any other client may
    still have keys or secrets that its operator no longer trusts."""
    if not CLIENT_AUTHENTICATORS[client.authenticator].signs:
        raise AuthenticatorMismatchError(f"an assertion with {client.authenticator}")


def _signer(token: UnverifiedToken, candidates: Candidates) -> VerificationKey:
    for key in candidates:
        try:
            verify_signature(token, key)
        except BadSignatureError:
            continue
        return key
    raise candidates.refusal()
