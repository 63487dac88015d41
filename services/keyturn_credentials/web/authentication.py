"""Who calls the admin API: access tokens of keyturn's verifiers (RFC 9068), checked against the store."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from sqlalchemy import bindparam, select
from starlette.requests import Request

from keyturn_credentials.domain.client import has_service_account
from keyturn_credentials.domain.realm import KeyState
from keyturn_credentials.domain.roles import Principal, Role, roles_of
from keyturn_credentials.errors import InvalidRequestError, UnauthenticatedError
from keyturn_credentials.store.failures import translated
from keyturn_credentials.store.tables import clients, realm_keys, realms
from keyturn_credentials.store.transaction import Store
from keyturn_shared.clock import Clock
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.jose.claims import judge_times
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature
from keyturn_shared.projection import CLIENT_UUID

_REMEMBERED: Final = 1024
_standing: Final = (
    select(
        realms.c.enabled.label("realm_enabled"),
        clients.c.uuid,
        clients.c.enabled,
        clients.c.attributes,
        clients.c.document,
        realm_keys.c.state,
        realm_keys.c.public_jwk,
    )
    .join(clients, clients.c.realm_id == realms.c.id)
    .join(realm_keys, realm_keys.c.realm_id == realms.c.id)
    .where(
        realms.c.name == bindparam("realm"),
        clients.c.client_id == bindparam("client_id"),
        realm_keys.c.kid == bindparam("kid"),
    )
)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What a token says of itself, before anything is known to be true."""

    token: UnverifiedToken
    realm: str
    client_id: str
    kid: str


class AdminAuthenticator:
    """Turns a bearer token into a principal, with the roles its client holds at this moment."""

    def __init__(self, store: Store, clock: Clock, base_url: str) -> None:
        self._store = store
        self._clock = clock
        self._issuers = f"{base_url}/realms/"
        self._verified: OrderedDict[bytes, None] = OrderedDict()

    async def authenticate(self, request: Request) -> Principal:
        """Raises UnauthenticatedError."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        try:
            claimed = self._read(text.strip())
            row = await self._standing_of(claimed)
            if row is None or not row.realm_enabled or not row.enabled or row.state == KeyState.NEXT.value:
                raise UnauthenticatedError("HTTP 401 Unauthorized")
            if claimed.token.claims.get(CLIENT_UUID, row.uuid) != row.uuid:
                raise UnauthenticatedError("HTTP 401 Unauthorized")  # another client has this name by now
            if not has_service_account(row.document):
                raise UnauthenticatedError("HTTP 401 Unauthorized")  # nor may it have tokens any more
            self._verify(text.strip(), claimed.token, row.public_jwk)
            judge_times(claimed.token.claims, now=self._clock.now(), lifetime_cap=None)
        except JoseError as error:
            raise UnauthenticatedError("HTTP 401 Unauthorized") from error
        return Principal(claimed.realm, row.uuid, claimed.client_id, _roles(row.attributes))

    def _read(self, text: str) -> _Claimed:
        token = parse_compact(text)
        require_algorithm(token, ASYMMETRIC_NAMES)
        claims = token.claims
        issuer, client_id = claims.get("iss"), claims.get("client_id")
        if (
            not token.header.is_type("at+jwt")
            or token.header.kid is None
            or not isinstance(issuer, str)
            or not issuer.startswith(self._issuers)
            or not isinstance(client_id, str)
            # RFC 9068 section 4; a token for another resource server is not for this one.
            or issuer not in _audiences(claims)
            # Bound to a certificate or a DPoP key: good only with a proof, which this API does not take.
            or "cnf" in claims
        ):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return _Claimed(token, unquote(issuer.removeprefix(self._issuers)), client_id, token.header.kid)

    async def _standing_of(self, claimed: _Claimed) -> Any:
        wanted = {"realm": claimed.realm, "client_id": claimed.client_id, "kid": claimed.kid}
        if any("\0" in text for text in wanted.values()):
            return None
        with translated():
            rows = await self._store.engines.find(_standing, wanted)
        return rows[0] if rows else None

    def _verify(self, text: str, token: UnverifiedToken, public_jwk: Mapping[str, object]) -> None:
        # Remembered with the key it was verified with: reading that takes longer than comparing it.
        known_as = msgspec.json.encode(public_jwk, order="deterministic")
        remembered = hashlib.sha256(known_as + text.encode()).digest()
        if remembered in self._verified:
            self._verified.move_to_end(remembered)
            return
        verify_signature(token, VerificationKey.from_jwk(public_jwk))
        self._verified[remembered] = None
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)


def _audiences(claims: Mapping[str, Any]) -> tuple[str, ...]:
    audience = claims.get("aud", ())
    return (audience,) if isinstance(audience, str) else tuple(audience)


def _roles(attributes: Mapping[str, str]) -> frozenset[Role]:
    try:
        return roles_of(attributes)
    except InvalidRequestError:  # a role of a newer build, after a downgrade: better none than a guess
        return frozenset()
