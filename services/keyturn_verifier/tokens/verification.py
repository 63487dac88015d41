"""Checks tokens for others: access tokens of the realm, and tokens that clients have signed themselves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keyturn_shared.clock import Clock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.claims import judge_times
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import BadSignatureError, MalformedError, MissingClaimError
from keyturn_shared.jose.verify import verify_with_key_set
from keyturn_shared.projection import CLIENT_UUID, ClientProjection
from keyturn_verifier.authentication.assertions import AssertionCheck, require_signing
from keyturn_verifier.authentication.decoys import Decoys
from keyturn_verifier.authentication.uses import CredentialUses
from keyturn_verifier.errors import (
    ClientDisabledError,
    KeyRevokedError,
    UnknownClientError,
    WrongAudienceError,
    WrongIssuerError,
    is_unavailable,
)
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.node.states import ACCESS_TOKEN_TYPE, RealmState
from keyturn_verifier.possession.confirmation import require_unbound
from keyturn_verifier.realms import require_realm

Possession = Callable[[RealmState, Mapping[str, Any]], Awaitable[None]]
"""Raises PossessionError or InvalidDpopProofError unless whoever brought these claims holds what they are
bound to (``keyturn_verifier.possession``)."""


async def bearer_only(_: RealmState, claims: Mapping[str, Any]) -> None:
    """Takes tokens that anybody may bring: one that is bound is none of them (RFC 8705 section 3, RFC 9449
    section 7.2)."""
    require_unbound(claims)


async def left_to_the_caller(_: RealmState, __: Mapping[str, Any]) -> None:
    """For an answer that shows ``cnf`` to a caller who saw the request the token came with, and has to hold
    it to that (RFC 8705 section 3.2, RFC 9449 section 6.2)."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token that holds, and the client it is of."""

    client_id: str
    claims: dict[str, Any]
    issued_by_realm: bool


class TokenVerifier:
    """Checks one token at a time. ``claimed`` marks are kept over repeated decisions of one request."""

    def __init__(
        self,
        node: Node,
        assertions: AssertionCheck,
        decoys: Decoys,
        uses: CredentialUses,
        clock: Clock,
        *,
        clock_skew: float,
    ) -> None:
        self._node = node
        self._assertions = assertions
        self._decoys = decoys
        self._uses = uses
        self._clock = clock
        self._clock_skew = clock_skew

    async def verify(
        self,
        realm_name: str,
        text: str,
        *,
        audience: str | None = None,
        single_use: bool = False,
        possession: Possession = bearer_only,
    ) -> VerifiedToken:
        """A token of the realm or of one of its clients.

        ``audience`` has to be named by ``aud``; without one a client's token has to name this server, and an
        access token may name anybody. Without ``possession`` a token that is bound (``cnf``) is refused.
        Raises RefusedError, JoseError, and what says that nothing can be decided now.
        """
        token = parse_compact(text)
        claimed_for: set[str] = set()

        async def decision(basis: Basis) -> VerifiedToken:
            realm = await require_realm(basis, realm_name)
            if token.claims.get("iss") == realm.urls.issuer:
                client, refused_from = await self._check_access_token(basis, realm, token, audience)
            else:
                client, refused_from = await self._check_client_token(basis, realm, token, audience)
            await possession(realm, token.claims)
            if single_use and client.uuid not in claimed_for:
                await self._assertions.claim(token.claims, client, refused_from)
                claimed_for.add(client.uuid)
            return VerifiedToken(client.client_id, token.claims, token.claims["iss"] == realm.urls.issuer)

        return await self._node.decide(decision)

    async def verify_access_token(
        self, realm_name: str, text: str, *, possession: Possession = bearer_only
    ) -> VerifiedToken:
        """As ``verify``, but only an access token of the realm will do."""
        token = parse_compact(text)

        async def decision(basis: Basis) -> VerifiedToken:
            realm = await require_realm(basis, realm_name)
            client, _ = await self._check_access_token(basis, realm, token, None)
            await possession(realm, token.claims)
            return VerifiedToken(client.client_id, token.claims, True)

        return await self._node.decide(decision)

    async def _check_access_token(
        self, basis: Basis, realm: RealmState, token: UnverifiedToken, audience: str | None
    ) -> tuple[ClientProjection, float]:
        if not token.header.is_type(ACCESS_TOKEN_TYPE):  # RFC 9068 section 4
            raise MalformedError(f"typ is not {ACCESS_TOKEN_TYPE}")
        verify_with_key_set(token, realm.keys)
        claims = token.claims
        if claims.get("iss") != realm.urls.issuer:
            raise WrongIssuerError("not this realm")
        if audience is not None:
            _require_named(claims, audience)
        refused_from = judge_times(claims, now=self._clock.now(), leeway=self._clock_skew, lifetime_cap=None)
        client = await _client(basis, realm, claims.get("client_id"))
        if claims.get(CLIENT_UUID, client.uuid) != client.uuid:
            raise UnknownClientError("another client has this name by now")
        if not client.service_accounts_enabled:
            raise ClientDisabledError("the client may have no tokens any more")
        return client, refused_from

    async def _check_client_token(
        self, basis: Basis, realm: RealmState, token: UnverifiedToken, audience: str | None
    ) -> tuple[ClientProjection, float]:
        issuer = token.claims.get("iss")
        if not isinstance(issuer, str):
            raise MissingClaimError("iss")
        try:
            client = await _client(basis, realm, issuer)
            require_signing(client)
            credential = await self._assertions.check_signature(token, realm.projection, client)
        except KeyturnError as error:
            # What is wrong is not to be told by the time it takes either: a gateway asks for anybody.
            if not isinstance(error, (BadSignatureError, KeyRevokedError)):
                self._decoys.spend(token)  # no signature was checked
            if not is_unavailable(error):
                await basis.even_out(realm, issuer)
            raise
        audiences = realm.audiences if audience is None else frozenset({audience})
        refused_from = self._assertions.check_claims(token.claims, client, audiences)
        self._uses.note(client.uuid, credential)
        return client, refused_from


async def _client(basis: Basis, realm: RealmState, client_id: object) -> ClientProjection:
    if not isinstance(client_id, str):
        raise MissingClaimError("client_id")
    state = await basis.client(realm, client_id)
    if state is None:
        raise UnknownClientError(client_id[:100])
    if not state.projection.enabled:
        raise ClientDisabledError(client_id[:100])
    return state.projection


def _require_named(claims: dict[str, Any], audience: str) -> None:
    """An access token may be for several resource servers (RFC 9068 section 4), of which we ask for one."""
    named = claims.get("aud")
    if named != audience and not (isinstance(named, list) and audience in named):
        raise WrongAudienceError("the token is for others")
