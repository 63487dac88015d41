"""``/realms/{realm}/forward-auth``: for nginx ``auth_request``, Traefik ForwardAuth, Envoy ext_authz."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import InvalidRequestError, is_unavailable
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck, PresentedToken
from keyturn_shared.oauth.tokens.verification import Possession, TokenVerifier
from keyturn_shared.oauth.web.bearer_token import read_bearer_token
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.errors import bearer_challenge, oauth_error, token_error
from keyturn_shared.oauth.web.messages import Headers, Reply, Request
from keyturn_shared.oauth.web.outcome_log import TokenLog
from keyturn_verifier.replica.replica import Replica
from keyturn_verifier.web.forwarded_request import ForwardedRequests

_REQUIREMENTS: Final = (
    ("audience", b"x-keyturn-require-audience"),
    ("scope", b"x-keyturn-require-scope"),
)


class ForwardAuthEndpoint:
    """Answers 204 for a valid token, with ``X-Keyturn-Client``, and 200 below this path; otherwise 401 or
    403.

    The query parameters ``audience`` and ``scope`` (space-separated names) state the gateway's requirements.
    Below this path, where Envoy appends its caller's path and query, headers state them; Envoy accepts only
    200 as success. Without ``audience``, a token that a client signed itself must name this server and is
    good once, here or at the token endpoint. A token bound to a certificate or key needs proof of it; see
    ``forwarded_request`` for what the gateway must send.
    """

    def __init__(
        self,
        replica: Replica,
        verifier: TokenVerifier,
        certificates: CertificateSource,
        possession: PossessionCheck,
        forwarded: ForwardedRequests,
        metrics: AnswerMetrics,
    ) -> None:
        self._replica = replica
        self._verifier = verifier
        self._certificates = certificates
        self._possession = possession
        self._forwarded = forwarded
        self._log = TokenLog(metrics, "forward_auth")

    def at_once(self, request: Request) -> Reply | None:
        """Answer without waiting, if this process has everything in memory and the token is bound to nothing.
        Raises KeyturnError, which means the same as None: the complete procedure answers."""
        token = self._read_token(request)
        if token is None or token.by_dpop:
            return None
        asked = _asked(request)
        try:
            verified = self._verifier.verify_at_once(
                request.realm, token.token, audience=asked.get("audience")
            )
        except KeyturnError as error:
            if is_unavailable(error):
                raise
            return self._refused(error, request)  # here, so that a forged token costs one verification
        if verified is None or verified.is_bound:
            return None
        return self._decide_scope(request, verified.client_id, _scope_of(verified.claims), asked)

    async def __call__(self, request: Request) -> Reply:
        by_dpop = False
        try:
            self._replica.require_lease()
            token = self._read_token(request)
            if token is None:
                self._log.refused("missing_credentials", "no access token", request.realm)
                return oauth_error(
                    401, "invalid_request", "a bearer token is required", bearer_challenge(request.realm)
                )
            by_dpop = token.by_dpop
            asked = _asked(request)
            verified = await self._verifier.verify(
                request.realm,
                token.token,
                audience=asked.get("audience"),
                own_once=True,
                possession=self._possession_of(request, token),
            )
        except KeyturnError as error:
            return self._refused(error, request, by_dpop=by_dpop)
        # Only scopes granted by the realm count: a client can write any scope into a token it signs itself.
        scope = _scope_of(verified.claims) if verified.issued_by_realm else ""
        return self._decide_scope(request, verified.client_id, scope, asked)

    def _refused(self, error: KeyturnError, request: Request, *, by_dpop: bool = False) -> Reply:
        self._log.refused(error.code, error.detail, request.realm)
        return token_error(error, realm=request.realm, by_dpop=by_dpop)

    def _read_token(self, request: Request) -> PresentedToken | None:
        return read_bearer_token(request, self._certificates, self._forwarded.method(request))

    def _decide_scope(self, request: Request, client_id: str, scope: str, asked: Mapping[str, str]) -> Reply:
        needed = asked.get("scope", "").split()
        if needed and not set(scope.split()).issuperset(needed):
            self._log.refused("insufficient_scope", " ".join(needed), request.realm)
            return oauth_error(403, "insufficient_scope", "the token lacks a scope")
        self._log.accepted()
        return Reply(204 if _is_exact(request) else 200, headers=_identity(client_id, scope))

    def _possession_of(self, request: Request, token: PresentedToken) -> Possession:
        async def possession(_: RealmState, claims: Mapping[str, Any]) -> None:
            below = f"/realms/{request.realm}/forward-auth"
            await self._possession.require(claims, token, self._forwarded.urls(request, below))

        return possession


def _is_exact(request: Request) -> bool:
    return request.path == f"/realms/{request.realm}/forward-auth"


def _asked(request: Request) -> dict[str, str]:
    if not _is_exact(request):
        # The query belongs to the caller here; the headers belong to Envoy, which forwards only configured
        # ones.
        named = {name: request.header(header) for name, header in _REQUIREMENTS}
        return {name: value for name, value in named.items() if value}
    try:
        pairs = parse_qsl(request.query.decode("ascii"), max_num_fields=16)
    except ValueError:
        raise InvalidRequestError("the query cannot be parsed") from None
    return dict(pairs)


def _scope_of(claims: Mapping[str, Any]) -> str:
    scope = claims.get("scope")
    return scope if isinstance(scope, str) else ""


def _identity(client_id: str, scope: str) -> Headers:
    # Set both always, even an empty scope: a gateway that only overwrites would let the caller's own pass.
    return [(b"x-keyturn-client", _header_text(client_id)), (b"x-keyturn-scope", _header_text(scope))]


@lru_cache(maxsize=4096)
def _header_text(text: str) -> bytes:
    """Encode as visible ASCII with inner spaces; everything else is percent-encoded. A receiver strips outer
    spaces (RFC 9110 section 5.5) and would read another client's id. Recent results are kept."""
    inner = quote(text.strip(" "), safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")
    before = len(text) - len(text.lstrip(" "))
    behind = len(text.lstrip(" ")) - len(text.strip(" "))
    return f"{'%20' * before}{inner}{'%20' * behind}".encode("ascii")
