"""``/realms/{realm}/forward-auth``: for nginx ``auth_request``, Traefik ForwardAuth, Envoy ext_authz."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.errors import InvalidRequestError
from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.node.node import Node
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.possession.requirement import PossessionCheck, PresentedToken
from keyturn_verifier.tokens.verification import Possession, TokenVerifier, VerifiedToken
from keyturn_verifier.web.answers import TokenLog
from keyturn_verifier.web.certificate_source import CertificateSource
from keyturn_verifier.web.errors import bearer_challenge, oauth_error, token_error
from keyturn_verifier.web.exchange import Headers, Reply, Request
from keyturn_verifier.web.forwarded_request import forwarded_method, forwarded_urls
from keyturn_verifier.web.presented_token import read_presented_token

_REQUIREMENTS: Final = (
    ("audience", b"x-keyturn-require-audience"),
    ("scope", b"x-keyturn-require-scope"),
)


class ForwardAuthEndpoint:
    """204 for a token that holds, with ``X-Keyturn-Client``; 401 or 403 otherwise.

    ``audience`` and ``scope`` (names with spaces) in the query say what the gateway asks of it; below this
    path, where Envoy puts the path and the query of its own caller, it says so in headers. A token that
    is bound to a certificate or a key has to come with that one: see ``forwarded_request`` for what the
    gateway has to tell.
    """

    def __init__(
        self,
        node: Node,
        verifier: TokenVerifier,
        certificates: CertificateSource,
        possession: PossessionCheck,
        metrics: AnswerMetrics,
    ) -> None:
        self._node = node
        self._verifier = verifier
        self._certificates = certificates
        self._possession = possession
        self._log = TokenLog(metrics, "forward_auth")

    async def __call__(self, request: Request) -> Reply:
        by_dpop = False
        try:
            self._node.require_lease()
            token = read_presented_token(request, self._certificates, forwarded_method(request))
            if token is None:
                self._log.refused("missing_credentials", "no access token", request.realm)
                return oauth_error(
                    401, "invalid_request", "a bearer token is needed", bearer_challenge(request.realm)
                )
            by_dpop = token.by_dpop
            asked = _asked(request)
            verified = await self._verifier.verify(
                request.realm,
                token.token,
                audience=asked.get("audience"),
                possession=self._possession_of(request, token),
            )
        except KeyturnError as error:
            self._log.refused(error.code, error.detail, request.realm)
            return token_error(error, realm=request.realm, by_dpop=by_dpop)
        scope = _scope(verified)
        needed = asked.get("scope", "").split()
        if not set(scope.split()).issuperset(needed):
            self._log.refused("insufficient_scope", " ".join(needed), request.realm)
            return oauth_error(403, "insufficient_scope", "the token lacks a scope")
        self._log.accepted()
        return Reply(204, headers=_identity(verified, scope))

    def _possession_of(self, request: Request, token: PresentedToken) -> Possession:
        async def possession(_: RealmState, claims: Mapping[str, Any]) -> None:
            below = f"/realms/{request.realm}/forward-auth"
            await self._possession.require(claims, token, forwarded_urls(request, below))

        return possession


def _asked(request: Request) -> dict[str, str]:
    if request.path != f"/realms/{request.realm}/forward-auth":
        # The query is the caller's here; the headers are Envoy's, which passes on none it is not told to.
        named = {name: request.header(header) for name, header in _REQUIREMENTS}
        return {name: value for name, value in named.items() if value}
    try:
        pairs = parse_qsl(request.query.decode("ascii"), max_num_fields=16)
    except ValueError:
        raise InvalidRequestError("the query cannot be read") from None
    return dict(pairs)


def _scope(verified: VerifiedToken) -> str:
    # Only what the realm granted counts: a client can write any scope into a token it signs itself.
    scope = verified.claims.get("scope") if verified.issued_by_realm else None
    return scope if isinstance(scope, str) else ""


def _identity(verified: VerifiedToken, scope: str) -> Headers:
    # Both always, be the scope empty: a gateway that only overwrites would let the caller's own pass.
    return [
        (b"x-keyturn-client", _header_text(verified.client_id)),
        (b"x-keyturn-scope", _header_text(scope)),
    ]


def _header_text(text: str) -> bytes:
    """Visible ASCII as it is, anything else percent-encoded."""
    return quote(text, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~").encode("ascii")
