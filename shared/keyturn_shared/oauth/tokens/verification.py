"""Checks tokens for others: access tokens of the realm, and tokens that clients signed themselves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keyturn_shared.clock import Clock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import BadSignatureError, MalformedError, MissingClaimError
from keyturn_shared.jose.verify import verify_with_key_set
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck, require_signing
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.entities import ACCESS_TOKEN_TYPE, PLAIN_TOKEN_TYPE, RealmState
from keyturn_shared.oauth.errors import (
    ClientDisabledError,
    KeyRevokedError,
    TokenEndedError,
    UnknownClientError,
    WrongAudienceError,
    WrongIssuerError,
    is_unavailable,
)
from keyturn_shared.oauth.ports import CredentialsInUse, Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.sender_constraint.confirmation import require_unbound
from keyturn_shared.oauth.tokens.addressees import require_addressed
from keyturn_shared.oauth.tokens.ended_tokens import require_issued_since, require_not_ended
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


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A valid token and its client."""

    client_id: str
    claims: dict[str, Any]
    issued_by_realm: bool


class TokenVerifier:
    """Checks one token at a time. Marks of used tokens are kept over repeated decisions of one request."""

    def __init__(
        self,
        decider: Decider,
        assertions: AssertionCheck,
        dummy_keys: DummyKeys,
        last_used: CredentialsInUse,
        clock: Clock,
        *,
        clock_skew: float,
    ) -> None:
        self._decider = decider
        self._assertions = assertions
        self._dummy_keys = dummy_keys
        self._last_used = last_used
        self._clock = clock
        self._clock_skew = clock_skew

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
            realm = await require_realm(read_set, realm_name)
            if token.claims.get("iss") == realm.urls.issuer:
                client, refused_from, claims = await self._check_access_token(
                    read_set, realm, token, audience, caller
                )
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
        possession: Possession = bearer_only,
        caller: str | None = None,
        is_introspection: bool = False,
    ) -> VerifiedToken:
        """Verify like ``verify``, but accept only access tokens of the realm. ``is_introspection``: return
        the claims that introspection shows, which protocol mappers decide."""
        token = parse_compact(text)

        async def decision(read_set: ReadSet) -> VerifiedToken:
            realm = await require_realm(read_set, realm_name)
            client, _, claims = await self._check_access_token(
                read_set, realm, token, None, caller, is_introspection=is_introspection
            )
            await possession(realm, token.claims)
            return VerifiedToken(client.client_id, claims, True)

        return await self._decider.decide(decision)

    async def _check_access_token(
        self,
        read_set: ReadSet,
        realm: RealmState,
        token: UnverifiedToken,
        audience: str | None,
        caller: str | None,
        *,
        is_introspection: bool = False,
    ) -> tuple[ClientProjection, float, dict[str, Any]]:
        # Check the addressee first, from what anyone can read in the token: other callers get the same answer
        # after the same time, whatever else is true of it.
        if caller is not None:
            await require_addressed(read_set, realm, token.claims, caller)
        await _require_type(read_set, realm, token)
        verify_with_key_set(token, realm.keys)
        claims = token.claims
        if claims.get("iss") != realm.urls.issuer:
            raise WrongIssuerError("not this realm")
        if audience is not None:
            _require_named(claims, audience)
        refused_from = check_times(claims, now=self._clock.now(), leeway=self._clock_skew, lifetime_cap=None)
        client = await _client(read_set, realm, claims.get("client_id"))
        if claims.get(CLIENT_UUID, client.uuid) != client.uuid:
            raise UnknownClientError("client_id was reassigned to another client")
        if not client.service_accounts_enabled:
            raise ClientDisabledError("the client may no longer obtain tokens")
        require_not_ended(claims, realm.projection, client)
        shown = _with_claims_of_now(realm, client, claims, is_introspection=is_introspection)
        return client, refused_from, shown

    async def _check_client_token(
        self, read_set: ReadSet, realm: RealmState, token: UnverifiedToken, audience: str | None
    ) -> tuple[ClientProjection, float]:
        issuer = token.claims.get("iss")
        if not isinstance(issuer, str):
            raise MissingClaimError("iss")
        try:
            client = await _client(read_set, realm, issuer)
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


def _with_claims_of_now(
    realm: RealmState, client: ClientProjection, claims: dict[str, Any], *, is_introspection: bool
) -> dict[str, Any]:
    """Return the claims without those that the client would not get now: roles that were taken away since the
    token was issued, and what protocol mappers have ceased to set. Raises TokenEndedError if the realm ends
    tokens with such a role."""
    if not is_introspection and claims.keys() <= PROTOCOL_CLAIMS:
        return claims
    profile = realm.profile(client)
    left, lost_role = profile.claims_of_now(claims)
    if lost_role and realm.projection.ends_tokens_by_role:
        raise TokenEndedError("a role in it was taken away")
    return profile.introspected(left) if is_introspection else left


async def _require_type(read_set: ReadSet, realm: RealmState, token: UnverifiedToken) -> None:
    """Raise MalformedError unless the type is that of access tokens (RFC 9068 section 4), or ``JWT`` for a
    client whose tokens have that type."""
    if token.header.is_type(ACCESS_TOKEN_TYPE):
        return
    client_id = token.claims.get("client_id")
    if token.header.is_type(PLAIN_TOKEN_TYPE) and isinstance(client_id, str):
        state = await read_set.client(realm, client_id)
        if state is not None and has_plain_tokens(realm.projection, state.projection):
            return
    raise MalformedError(f"typ is not {ACCESS_TOKEN_TYPE}")


async def _client(read_set: ReadSet, realm: RealmState, client_id: object) -> ClientProjection:
    if not isinstance(client_id, str):
        raise MissingClaimError("client_id")
    state = await read_set.client(realm, client_id)
    if state is None:
        raise UnknownClientError(client_id[:100])
    if not state.projection.enabled:
        raise ClientDisabledError(client_id[:100])
    return state.projection


def _require_named(claims: dict[str, Any], audience: str) -> None:
    """Raise unless ``aud`` names the audience. An access token may name several (RFC 9068 section 4)."""
    named = claims.get("aud")
    if named != audience and not (isinstance(named, list) and audience in named):
        raise WrongAudienceError("the token is for a different audience")
