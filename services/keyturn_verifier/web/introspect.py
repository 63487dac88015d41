"""``POST …/token/introspect`` (RFC 7662): an authenticated client asks about an access token."""

from typing import Any, Final

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.errors import InvalidRequestError, is_unavailable
from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.node.node import Node
from keyturn_verifier.tokens.verification import TokenVerifier, VerifiedToken
from keyturn_verifier.web.answers import ACCEPTED
from keyturn_verifier.web.callers import Callers
from keyturn_verifier.web.errors import client_error
from keyturn_verifier.web.exchange import NO_STORE, Reply, Request, json_reply
from keyturn_verifier.web.form import read_form, require_form_type

_SHOWN: Final = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "azp", "scope", "cnf")


class IntrospectionEndpoint:
    """Tells whether an access token of the realm is active. Whatever is wrong with it, it is just not."""

    def __init__(self, node: Node, callers: Callers, verifier: TokenVerifier, metrics: AnswerMetrics) -> None:
        self._node = node
        self._callers = callers
        self._verifier = verifier
        self._verifications = metrics.verifications

    async def __call__(self, request: Request) -> Reply:
        try:
            self._node.require_lease()
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            await self._callers.require(request, form)
            token = form.get("token")
            if token is None:
                raise InvalidRequestError("Missing form parameter: token")
            return json_reply(200, await self._introspect(request.realm, token), NO_STORE)
        except KeyturnError as error:
            return client_error(error, realm=request.realm, basic=request.offers_basic)

    async def _introspect(self, realm: str, token: str) -> dict[str, Any]:
        try:
            verified = await self._verifier.verify_access_token(realm, token)
        except KeyturnError as error:
            if is_unavailable(error):
                raise
            self._verifications.labels("introspect", error.code).inc()
            return {"active": False}
        self._verifications.labels("introspect", ACCEPTED).inc()
        return _describe(verified)


def _describe(verified: VerifiedToken) -> dict[str, Any]:
    shown: dict[str, Any] = {name: verified.claims[name] for name in _SHOWN if name in verified.claims}
    return {"active": True, "token_type": "Bearer", **shown}
