"""Checks tokens for others: access tokens of the realm, and tokens that clients signed themselves."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import msgspec

from keyturn_shared.clock import Clock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import BadSignatureError, MalformedError, MissingClaimError
from keyturn_shared.jose.verify import verify_with_key_set
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck, require_signing
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.entities import ACCESS_TOKEN_TYPE, PLAIN_TOKEN_TYPE, ClientState, RealmState
from keyturn_shared.oauth.errors import (
    ClientDisabledError,
    KeyRevokedError,
    TokenEndedError,
    UnknownClientError,
    WrongAudienceError,
    WrongIssuerError,
    is_unavailable,
)
from keyturn_shared.oauth.ports import CredentialsInUse, Decider, ReadSet, StatesAtHand
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.sender_constraint.confirmation import require_unbound
from keyturn_shared.oauth.tokens.addressees import is_addressed, require_addressed
from keyturn_shared.oauth.tokens.ended_tokens import require_issued_since, require_not_ended
from keyturn_shared.oauth.tokens.token_cache import TokenCache, VerifiedAccessToken, digest_of, names_audience
from keyturn_shared.projected_mappers import PROTOCOL_CLAIMS
from keyturn_shared.projection import CLIENT_UUID, ClientProjection, has_plain_tokens

Possession = Callable[[RealmState, Mapping[str, Any]], Awaitable[None]]
"""Raises PossessionError or InvalidDpopProofError unless the sender of these claims holds the key they are
bound to (``keyturn_shared.oauth.sender_constraint``)."""


async def bearer_only(_: RealmState, claims: Mapping[str, Any]) -> None:
    """Accept bearer tokens only, and no bound ones (RFC 8705 section 3, RFC 9449 section 7.2)."""
    require_unbound(claims)


async def left_to_the_caller(_: RealmState, __: Mapping[str, Any]) -> None:
    """Accept any token, for an answer with ``cnf`` to a caller that checks the binding itself (RFC 8705
    section 3.2, RFC 9449 section 6.2)."""


class VerifiedToken(msgspec.Struct, frozen=True):
    """A valid token and its client."""

    client_id: str
    claims: dict[str, Any]
    issued_by_realm: bool


class TokenVerifier:
    """Checks one token at a time. Marks of used tokens are kept over repeated decisions of one request.
    ``at_hand``: what this process has in memory; ``cache``: access tokens that it has verified. A process
    that reads its states anew for each decision has neither."""

    def __init__(
        self,
        decider: Decider,
        assertions: AssertionCheck,
        dummy_keys: DummyKeys,
        last_used: CredentialsInUse,
        clock: Clock,
        *,
        clock_skew: float,
        at_hand: StatesAtHand | None = None,
        cache: TokenCache | None = None,
    ) -> None:
        self._decider = decider
        self._at_hand = at_hand
        self._cache = cache
        self._assertions = assertions
        self._dummy_keys = dummy_keys
        self._last_used = last_used
        self._clock = clock
        self._clock_skew = clock_skew

    def verify_at_once(
        self,
        realm_name: str,
        text: str,
        *,
        audience: str | None = None,
        caller: str | None = None,
        represented: Collection[str] = (),
    ) -> VerifiedAccessToken | None:
        """Verify an access token of the realm like ``verify``, without waiting. A bound token is verified as
        well, and its possession is the caller's to check. ``represented``: audiences that ``caller`` stands
        for besides its own id, if they are at hand.

        None: more is needed than this process has in memory, or it is no access token of the realm. Nothing
        is awaited in between, so the answer holds at the instant it is given. Raises like ``verify``.
        """
        if self._at_hand is None:
            return None
        digest = digest_of(text)
        try:
            token = None
            if self._cache is not None:
                token = self._cache.find(realm_name, digest)
                if token is None and caller is not None:
                    self._cache.equalize_time(caller, represented)
            if token is None or not _concerns(token, audience, caller, represented):
                # Whoever it is not for is refused as if it had never been seen, and after the same time.
                token = self._verify_at_hand(self._at_hand, realm_name, text, audience, caller, represented)
                if token is not None:
                    self._keep(text, token, digest)
            return token
        finally:
            self._decider.require_lease()  # a refusal needs it as much as the token does

    def _verify_at_hand(
        self,
        at_hand: StatesAtHand,
        realm_name: str,
        text: str,
        audience: str | None,
        caller: str | None,
        represented: Collection[str],
    ) -> VerifiedAccessToken | None:
        realm = at_hand.realm_at_hand(realm_name)
        if realm is None or not realm.projection.enabled:
            return None
        token = parse_compact(text)
        claims = token.claims
        client_id = claims.get("client_id")
        if claims.get("iss") != realm.urls.issuer or not isinstance(client_id, str):
            return None
        if caller is not None and not is_addressed(realm, claims, caller, represented):
            return None
        # Look for the client only once the realm has vouched for its name: the time tells nobody who is here.
        refused_from = self._check_signed(realm, token, audience)
        client = at_hand.client_at_hand(realm, client_id)
        if client is None:
            return None
        return self._check_issued(realm, client, token, refused_from)

    async def verify(
        self,
        realm_name: str,
        text: str,
        *,
        audience: str | None = None,
        single_use: bool = False,
        own_once: bool = False,
        possession: Possession = bearer_only,
        caller: str | None = None,
    ) -> VerifiedToken:
        """Verify a token of the realm or of one of its clients.

        ``aud`` must name ``audience``; without one, a client's token must name this server, and an access
        token may name anyone. ``single_use``: the token is good once in the fleet. ``own_once``: it is good
        once if it names this server, like an assertion: one that was sent to the token endpoint is good
        nowhere else, and vice versa (RFC 7523 section 3, ``jti``). ``caller``: the client that asks, for
        which an access token must be meant (see ``require_addressed``). ``possession``: by default, a bound
        token (``cnf``) is refused.

        Raises RefusedError, JoseError, and errors of ``is_unavailable``.
        """
        token = parse_compact(text)
        claimed = False

        async def decision(read_set: ReadSet) -> VerifiedToken:
            nonlocal claimed
            client: ClientProjection
            realm = await require_realm(read_set, realm_name)
            if token.claims.get("iss") == realm.urls.issuer:
                checked = await self._check_access_token(read_set, realm, token, audience, caller)
                self._keep(text, checked)
                client, refused_from = checked.client.projection, checked.refused_from
                claims = checked.own_claims()
            else:
                client, refused_from = await self._check_client_token(read_set, realm, token, audience)
                claims = token.claims
            by_realm = token.claims["iss"] == realm.urls.issuer
            await possession(realm, token.claims)
            once = single_use or (own_once and audience is None and not by_realm)
            if once and not claimed:
                await self._assertions.mark_used(token.claims, realm.projection, client, refused_from)
                claimed = True
            return VerifiedToken(client.client_id, claims, by_realm)

        return await self._decider.decide(decision)

    async def verify_access_token(
        self,
        realm_name: str,
        text: str,
        *,
        audience: str | None = None,
        possession: Possession = bearer_only,
        caller: str | None = None,
    ) -> VerifiedAccessToken:
        """Verify like ``verify``, but accept only access tokens of the realm."""
        token = parse_compact(text)

        async def decision(read_set: ReadSet) -> VerifiedAccessToken:
            realm = await require_realm(read_set, realm_name)
            checked = await self._check_access_token(read_set, realm, token, audience, caller)
            self._keep(text, checked)
            await possession(realm, token.claims)
            return checked

        return await self._decider.decide(decision)

    def _keep(self, text: str, checked: VerifiedAccessToken, digest: bytes | None = None) -> None:
        if self._cache is not None:
            self._cache.keep(digest or digest_of(text), text, checked)

    async def _check_access_token(
        self,
        read_set: ReadSet,
        realm: RealmState,
        token: UnverifiedToken,
        audience: str | None,
        caller: str | None,
    ) -> VerifiedAccessToken:
        # Check the addressee first, from what anyone can read in the token: other callers get the same answer
        # after the same time, whatever else is true of it.
        if caller is not None:
            await require_addressed(read_set, realm, token.claims, caller)
        refused_from = self._check_signed(realm, token, audience)
        client = await _client(read_set, realm, token.claims.get("client_id"))
        return self._check_issued(realm, client, token, refused_from)

    def _check_signed(self, realm: RealmState, token: UnverifiedToken, audience: str | None) -> float:
        """Check that the realm has signed an access token, for this audience and this time. Return the moment
        from which on it is refused."""
        # Of its clients' tokens, some may have the other type; the client says whose.
        if not (token.header.is_type(ACCESS_TOKEN_TYPE) or token.header.is_type(PLAIN_TOKEN_TYPE)):
            raise MalformedError(f"typ is not {ACCESS_TOKEN_TYPE}")
        verify_with_key_set(token, realm.keys)
        claims = token.claims
        if claims.get("iss") != realm.urls.issuer:
            raise WrongIssuerError("not this realm")
        if audience is not None and not names_audience(claims, audience):
            raise WrongAudienceError("the token is for a different audience")
        return check_times(claims, now=self._clock.now(), leeway=self._clock_skew, lifetime_cap=None)

    def _check_issued(
        self, realm: RealmState, state: ClientState, token: UnverifiedToken, refused_from: float
    ) -> VerifiedAccessToken:
        """Check a token that the realm has signed against the current state of its client."""
        claims, client = token.claims, state.projection
        if not client.enabled:
            raise ClientDisabledError(client.client_id[:100])
        has_plain_type = not token.header.is_type(ACCESS_TOKEN_TYPE)
        if has_plain_type and not has_plain_tokens(realm.projection, client):
            raise MalformedError(f"typ is not {ACCESS_TOKEN_TYPE}")
        if claims.get(CLIENT_UUID, client.uuid) != client.uuid:
            raise UnknownClientError("client_id was reassigned to another client")
        if not client.service_accounts_enabled:
            raise ClientDisabledError("the client may no longer obtain tokens")
        require_not_ended(claims, realm.projection, client)
        return VerifiedAccessToken(
            realm,
            state,
            _claims_of_now(realm, client, claims),
            valid_from=max(claims.get("nbf", 0), claims.get("iat", 0)) - self._clock_skew,
            refused_from=refused_from,
            parts=token.payload.count(b","),
        )

    async def _check_client_token(
        self, read_set: ReadSet, realm: RealmState, token: UnverifiedToken, audience: str | None
    ) -> tuple[ClientProjection, float]:
        issuer = token.claims.get("iss")
        if not isinstance(issuer, str):
            raise MissingClaimError("iss")
        try:
            client = (await _client(read_set, realm, issuer)).projection
            if not client.enabled:
                raise ClientDisabledError(issuer[:100])
            require_signing(client)
            credential = await self._assertions.check_signature(token, realm.projection, client)
        except KeyturnError as error:
            # The time must not reveal what is wrong either: a gateway asks on behalf of anyone.
            if not isinstance(error, (BadSignatureError, KeyRevokedError)):
                self._dummy_keys.equalize_time(token)  # no signature was checked
            if not is_unavailable(error):
                await read_set.equalize_time(realm, issuer)
            raise
        audiences = realm.audiences if audience is None else frozenset({audience})
        refused_from = self._assertions.check_claims(token, realm.projection, client, audiences)
        require_issued_since(token.claims, realm.projection, client)
        self._last_used.note(client.uuid, credential)
        return client, refused_from


def _concerns(
    token: VerifiedAccessToken, audience: str | None, caller: str | None, represented: Collection[str]
) -> bool:
    """Return whether a cached token is for this audience, and this caller may ask about it."""
    if caller is not None and not token.is_for(caller, represented):
        return False
    return audience is None or token.names_audience(audience)


def _claims_of_now(realm: RealmState, client: ClientProjection, claims: dict[str, Any]) -> dict[str, Any]:
    """Return the claims without those that the client would not get now: roles that were taken away since the
    token was issued, and what protocol mappers have ceased to set. Raises TokenEndedError if the realm ends
    tokens with such a role."""
    if claims.keys() <= PROTOCOL_CLAIMS:
        return claims
    left, lost_role = realm.profile(client).claims_of_now(claims)
    if lost_role and realm.projection.ends_tokens_by_role:
        raise TokenEndedError("a role in it was taken away")
    return left


async def _client(read_set: ReadSet, realm: RealmState, client_id: object) -> ClientState:
    if not isinstance(client_id, str):
        raise MissingClaimError("client_id")
    state = await read_set.client(realm, client_id)
    if state is None:
        raise UnknownClientError(client_id[:100])
    return state
