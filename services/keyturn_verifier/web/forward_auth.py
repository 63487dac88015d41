"""``/realms/{realm}/forward-auth``: for nginx ``auth_request``, Traefik ForwardAuth, Envoy ext_authz."""

from urllib.parse import parse_qsl, quote

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.errors import InvalidRequestError
from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.node.node import Node
from keyturn_verifier.tokens.verification import TokenVerifier, VerifiedToken
from keyturn_verifier.web.answers import ACCEPTED
from keyturn_verifier.web.errors import bearer_challenge, oauth_error, token_error
from keyturn_verifier.web.exchange import Headers, Reply, Request


class ForwardAuthEndpoint:
    """204 for a token that holds, with ``X-Keyturn-Client``; 401 or 403 otherwise.

    ``audience`` and ``scope`` (names with spaces) in the query say what the gateway asks of it.
    """

    def __init__(self, node: Node, verifier: TokenVerifier, metrics: AnswerMetrics) -> None:
        self._node = node
        self._verifier = verifier
        self._verifications = metrics.verifications

    async def __call__(self, request: Request) -> Reply:
        try:
            self._node.require_lease()
            authorization = request.authorization
            if authorization is None or authorization[:7].lower() != "bearer ":
                return oauth_error(
                    401, "invalid_request", "a bearer token is needed", bearer_challenge(request.realm)
                )
            asked = _asked(request.query)
            verified = await self._verifier.verify(
                request.realm, authorization[7:].strip(), audience=asked.get("audience")
            )
        except KeyturnError as error:
            self._verifications.labels("forward_auth", error.code).inc()
            return token_error(error, realm=request.realm)
        scope = _scope(verified)
        needed = asked.get("scope", "").split()
        if not set(scope.split()).issuperset(needed):
            self._verifications.labels("forward_auth", "insufficient_scope").inc()
            return oauth_error(403, "insufficient_scope", "the token lacks a scope")
        self._verifications.labels("forward_auth", ACCEPTED).inc()
        return Reply(204, headers=_identity(verified, scope))


def _asked(query: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(query.decode("ascii"), max_num_fields=16)
    except ValueError:
        raise InvalidRequestError("the query cannot be read") from None
    return dict(pairs)


def _scope(verified: VerifiedToken) -> str:
    # Only what the realm granted counts: a client can write any scope into a token it signs itself.
    scope = verified.claims.get("scope") if verified.issued_by_realm else None
    return scope if isinstance(scope, str) else ""


def _identity(verified: VerifiedToken, scope: str) -> Headers:
    headers: Headers = [(b"x-keyturn-client", _header_text(verified.client_id))]
    if scope:
        headers.append((b"x-keyturn-scope", _header_text(scope)))
    return headers


def _header_text(text: str) -> bytes:
    """Visible ASCII as it is, anything else percent-encoded."""
    return quote(text, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~").encode("ascii")
