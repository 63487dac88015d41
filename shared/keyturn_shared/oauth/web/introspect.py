"""``POST …/token/introspect`` (RFC 7662): an authenticated client asks about an access token."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.errors import AdministratorElsewhereError, InvalidRequestError, is_unavailable
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.tokens.access_tokens import token_type_of
from keyturn_shared.oauth.tokens.signed_introspection import IntrospectionSigner
from keyturn_shared.oauth.tokens.token_cache import VerifiedAccessToken
from keyturn_shared.oauth.tokens.verification import TokenVerifier, left_to_the_caller
from keyturn_shared.oauth.web.caller_authentication import Callers
from keyturn_shared.oauth.web.errors import caller_error
from keyturn_shared.oauth.web.form import read_form, require_form_type
from keyturn_shared.oauth.web.known_callers import KnownCallers
from keyturn_shared.oauth.web.messages import NO_STORE, Elsewhere, Reply, Request, encode_json, json_body
from keyturn_shared.oauth.web.outcome_log import TokenLog
from keyturn_shared.projection import CLIENT_UUID, TOKEN_GENERATION

SIGNED_TYPE: Final = "application/token-introspection+jwt"  # RFC 9701
_NOT_SHOWN: Final = frozenset({CLIENT_UUID, TOKEN_GENERATION, "active", "token_type", "username"})
"""Claims that say something to verifiers of this fleet alone, and those whose names the answer has."""
_INACTIVE: Final = encode_json({"active": False})


class IntrospectionEndpoint:
    """Tells whether an access token of the realm is active. For any fault the answer is just inactive."""

    def __init__(
        self,
        decider: Decider,
        callers: Callers,
        verifier: TokenVerifier,
        signer: IntrospectionSigner,
        metrics: AnswerMetrics,
        elsewhere: Elsewhere | None = None,
        known: KnownCallers | None = None,
    ) -> None:
        self._known = known
        self._elsewhere = elsewhere
        self._decider = decider
        self._callers = callers
        self._verifier = verifier
        self._signer = signer
        self._log = TokenLog(metrics, "introspect")

    def at_once(self, request: Request) -> Reply | None:
        """Answer without waiting, if this process has everything in memory: a caller that it has
        authenticated before, and the states behind the token. Raises KeyturnError, which means the same as
        None: the complete procedure answers."""
        if self._known is None or _wants_signature(request):
            return None
        require_form_type(request.header(b"content-type"))
        form = read_form(request.body)
        caller, text = self._known.recall(request, form), form.get("token")
        if caller is None or text is None:
            return None
        client = caller.states.client.projection
        try:
            token = self._verifier.verify_at_once(
                request.realm, text, caller=client.client_id, represented=client.resource_audiences
            )
        except KeyturnError as error:
            if is_unavailable(error):
                raise
            answer = self._refused(error, request.realm)
        else:
            if token is None:
                return None
            self._log.accepted()
            answer = _described(token)
        self._known.accepted(caller)
        return json_body(200, answer, NO_STORE)

    async def __call__(self, request: Request) -> Reply:
        try:
            self._decider.require_lease()
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            caller = await self._callers.require(request, form, lambda urls: urls.introspection)
            token = form.get("token")
            if token is None:
                raise InvalidRequestError("Missing form parameter: token")
            answer = await self._introspect(request.realm, token, caller)
            if not _wants_signature(request):
                return json_body(200, answer, NO_STORE)
            signed = await self._sign(request.realm, caller, answer)
            return Reply(200, signed.encode(), [(b"content-type", SIGNED_TYPE.encode()), *NO_STORE])
        except KeyturnError as error:
            if self._elsewhere is not None and isinstance(error, AdministratorElsewhereError):
                return await self._elsewhere(request)
            return caller_error(error, request)

    async def _introspect(self, realm: str, text: str, caller: str) -> bytes:
        try:
            token = self._verifier.verify_at_once(
                realm, text, caller=caller
            ) or await self._verifier.verify_access_token(
                realm, text, possession=left_to_the_caller, caller=caller
            )
        except KeyturnError as error:
            if is_unavailable(error):
                raise
            return self._refused(error, realm)
        self._log.accepted()
        return _described(token)

    def _refused(self, error: KeyturnError, realm: str) -> bytes:
        self._log.refused(error.code, error.detail, realm)
        return _INACTIVE

    async def _sign(self, realm_name: str, caller: str, answer: bytes) -> str:
        async def decision(read_set: ReadSet) -> str:
            realm = await require_realm(read_set, realm_name)
            if realm.signing_key is None and realm.projection.administers:
                raise AdministratorElsewhereError(realm_name)
            return self._signer.sign(realm, caller, answer)

        return await self._decider.decide(decision)


def _wants_signature(request: Request) -> bool:
    """Return whether ``Accept`` names the signed form (RFC 9701 section 4), with any weight."""
    accepted = ",".join(value.decode("latin-1") for name, value in request.headers if name == b"accept")
    return any(part.partition(";")[0].strip().lower() == SIGNED_TYPE for part in accepted.split(","))


def _described(token: VerifiedAccessToken) -> bytes:
    """Return all that the token says, as in Keycloak (RFC 7662 section 2.2), in JSON."""
    if token.introspection is None:
        token.introspection = encode_json(_describe(token.introspected()))
    return token.introspection


def _describe(claims: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: value for name, value in claims.items() if name not in _NOT_SHOWN}
    confirmation = shown.get("cnf")
    token_type = token_type_of(confirmation if isinstance(confirmation, dict) else {})
    described = {"active": True, "token_type": token_type, **shown}
    if "preferred_username" in shown:
        described["username"] = shown["preferred_username"]
    return described
