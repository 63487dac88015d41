"""Authentication of the admin API: access tokens (RFC 9068) that this service issued, checked against the
store.

A token signed by a key that nodes have is refused, whatever it says.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from starlette.requests import Request

from keyturn_credentials.domain.attributes import has_plain_token_type
from keyturn_credentials.domain.client import has_service_account
from keyturn_credentials.domain.realm import KeyState
from keyturn_credentials.domain.roles import Principal, Role, roles_of
from keyturn_credentials.domain.token_ending import read_not_before
from keyturn_credentials.errors import InvalidRequestError, MissingTokenError, UnauthenticatedError
from keyturn_credentials.queries.administrators import AdministratorQueries
from keyturn_shared.clock import Clock
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature
from keyturn_shared.oauth.entities import ACCESS_TOKEN_TYPE, PLAIN_TOKEN_TYPE
from keyturn_shared.projection import CLIENT_UUID, TOKEN_GENERATION, token_digest

_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class _Claimed:
    """The unverified subject of a token."""

    token: UnverifiedToken
    realm: str
    client_id: str
    kid: str


class AdminAuthenticator:
    """Maps a bearer token to a principal, with its client's current roles."""

    def __init__(self, administrators: AdministratorQueries, clock: Clock, base_url: str) -> None:
        self._administrators = administrators
        self._clock = clock
        self._issuers = f"{base_url}/realms/"
        self._verified: OrderedDict[bytes, None] = OrderedDict()

    async def authenticate(self, request: Request) -> Principal:
        """Authenticate the caller. Raises UnauthenticatedError, or its subclass MissingTokenError for a
        request without a token."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise MissingTokenError("HTTP 401 Unauthorized")
        try:
            claimed = self._read(text.strip())
            row = await self._administrators.find(claimed.realm, claimed.client_id, claimed.kid)
            if row is None or not row.realm_enabled or not row.enabled or row.state == KeyState.NEXT.value:
                raise UnauthenticatedError("HTTP 401 Unauthorized")
            if claimed.token.claims.get(CLIENT_UUID, row.uuid) != row.uuid:
                raise UnauthenticatedError(
                    "HTTP 401 Unauthorized"
                )  # client_id was reassigned to another client
            if not _is_of_its_type(claimed.token, row):
                raise UnauthenticatedError("HTTP 401 Unauthorized")
            if not has_service_account(row.document):
                raise UnauthenticatedError("HTTP 401 Unauthorized")  # it may no longer have tokens either
            self._verify(text.strip(), claimed.token, row.public_jwk)
            check_times(claimed.token.claims, now=self._clock.now(), lifetime_cap=None)
            _require_standing(claimed.token.claims, row)
        except JoseError as error:
            raise UnauthenticatedError("HTTP 401 Unauthorized") from error
        return Principal(claimed.realm, row.uuid, claimed.client_id, _roles(row.attributes))

    def _read(self, text: str) -> _Claimed:
        token = parse_compact(text)
        require_algorithm(token, ASYMMETRIC_NAMES)
        claims = token.claims
        issuer, client_id = claims.get("iss"), claims.get("client_id")
        if (
            not (token.header.is_type(ACCESS_TOKEN_TYPE) or token.header.is_type(PLAIN_TOKEN_TYPE))
            or token.header.kid is None
            or not isinstance(issuer, str)
            or not issuer.startswith(self._issuers)
            or not isinstance(client_id, str)
            # RFC 9068 section 4; a token for another resource server is not accepted here.
            or issuer not in _audiences(claims)
            # Bound to a certificate or a DPoP key: valid only with a proof, which this API does not accept.
            or "cnf" in claims
        ):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return _Claimed(token, unquote(issuer.removeprefix(self._issuers)), client_id, token.header.kid)

    def _verify(self, text: str, token: UnverifiedToken, public_jwk: Mapping[str, object]) -> None:
        # Cached with the key that verified it: reading takes longer than comparing.
        known_as = msgspec.json.encode(public_jwk, order="deterministic")
        remembered = hashlib.sha256(known_as + text.encode()).digest()
        if remembered in self._verified:
            self._verified.move_to_end(remembered)
            return
        verify_signature(token, VerificationKey.from_jwk(public_jwk))
        self._verified[remembered] = None
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)


def _is_of_its_type(token: UnverifiedToken, row: Any) -> bool:
    """Return whether a token has the type of access tokens; ``JWT`` only if its client or realm says so."""
    if token.header.is_type(ACCESS_TOKEN_TYPE):
        return True
    own = has_plain_token_type(row.attributes)
    return has_plain_token_type(row.realm_attributes) is True if own is None else own


def _require_standing(claims: Mapping[str, Any], row: Any) -> None:
    """Raise UnauthenticatedError for a token that was ended before it expired, like verifiers."""
    issued_at, jti = claims.get("iat", 0), claims.get("jti")
    not_before = max(read_not_before(row.document), read_not_before(row.realm_document))
    generation = claims.get(TOKEN_GENERATION, 0)
    if (
        issued_at < not_before
        or not isinstance(generation, int)
        or generation < row.token_generation + row.realm_generation
        or (isinstance(jti, str) and token_digest(jti) in row.revoked_tokens)
    ):
        raise UnauthenticatedError("HTTP 401 Unauthorized")


def _audiences(claims: Mapping[str, Any]) -> tuple[str, ...]:
    audience = claims.get("aud", ())
    return (audience,) if isinstance(audience, str) else tuple(audience)


def _roles(attributes: Mapping[str, str]) -> frozenset[Role]:
    try:
        return roles_of(attributes)
    except InvalidRequestError:  # a role of a newer build, after a downgrade: no role is better than a guess
        return frozenset()
