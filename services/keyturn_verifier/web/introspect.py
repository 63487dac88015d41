"""``POST …/token/introspect`` (RFC 7662): an authenticated client asks about an access token."""

from typing import Any, Final

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.errors import InvalidRequestError, is_unavailable
from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.realms import require_realm
from keyturn_verifier.tokens.access_tokens import token_type_of
from keyturn_verifier.tokens.signed_introspection import IntrospectionSigner
from keyturn_verifier.tokens.verification import TokenVerifier, VerifiedToken, left_to_the_caller
from keyturn_verifier.web.answers import TokenLog
from keyturn_verifier.web.callers import Callers
from keyturn_verifier.web.errors import caller_error
from keyturn_verifier.web.exchange import NO_STORE, Reply, Request, json_reply
from keyturn_verifier.web.form import read_form, require_form_type

SIGNED_TYPE: Final = "application/token-introspection+jwt"  # RFC 9701
_SHOWN: Final = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "azp", "scope", "cnf")


class IntrospectionEndpoint:
    """Tells whether an access token of the realm is active. Whatever is wrong with it, it is just not."""

    def __init__(
        self,
        node: Node,
        callers: Callers,
        verifier: TokenVerifier,
        signer: IntrospectionSigner,
        metrics: AnswerMetrics,
    ) -> None:
        self._node = node
        self._callers = callers
        self._verifier = verifier
        self._signer = signer
        self._log = TokenLog(metrics, "introspect")

    async def __call__(self, request: Request) -> Reply:
        try:
            self._node.require_lease()
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            caller = await self._callers.require(request, form, lambda urls: urls.introspection)
            token = form.get("token")
            if token is None:
                raise InvalidRequestError("Missing form parameter: token")
            answer = await self._introspect(request.realm, token)
            if not _wants_signature(request):
                return json_reply(200, answer, NO_STORE)
            signed = await self._sign(request.realm, caller, answer)
            return Reply(200, signed.encode(), [(b"content-type", SIGNED_TYPE.encode()), *NO_STORE])
        except KeyturnError as error:
            return caller_error(error, request)

    async def _introspect(self, realm: str, token: str) -> dict[str, Any]:
        try:
            verified = await self._verifier.verify_access_token(realm, token, possession=left_to_the_caller)
        except KeyturnError as error:
            if is_unavailable(error):
                raise
            self._log.refused(error.code, error.detail, realm)
            return {"active": False}
        self._log.accepted()
        return _describe(verified)

    async def _sign(self, realm_name: str, caller: str, answer: dict[str, Any]) -> str:
        async def decision(basis: Basis) -> str:
            return self._signer.sign(await require_realm(basis, realm_name), caller, answer)

        return await self._node.decide(decision)


def _wants_signature(request: Request) -> bool:
    """Whether ``Accept`` names the signed form (RFC 9701 section 4), whatever weight it gives it."""
    accepted = ",".join(value.decode("latin-1") for name, value in request.headers if name == b"accept")
    return any(part.partition(";")[0].strip().lower() == SIGNED_TYPE for part in accepted.split(","))


def _describe(verified: VerifiedToken) -> dict[str, Any]:
    shown: dict[str, Any] = {name: verified.claims[name] for name in _SHOWN if name in verified.claims}
    confirmation = shown.get("cnf")
    token_type = token_type_of(confirmation if isinstance(confirmation, dict) else {})
    return {"active": True, "token_type": token_type, **shown}
