"""``POST /realms/{realm}/verify``: many tokens in one request, the reason for each refusal in the answer."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.errors import (
    InvalidRequestError,
    PossessionError,
    UnknownRealmError,
    is_unavailable,
)
from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.node.node import Node
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.possession.confirmation import CERTIFICATE, confirmation_of
from keyturn_verifier.tokens.verification import TokenVerifier, left_to_the_caller
from keyturn_verifier.web.answers import TokenLog
from keyturn_verifier.web.callers import Callers
from keyturn_verifier.web.errors import caller_error
from keyturn_verifier.web.exchange import NO_STORE, Reply, Request, json_reply

MAX_TOKENS: Final = 1000
_AT_ONCE: Final = 16
"""Tokens checked before other requests get their turn, and key sets waited for at the same time."""


class VerifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body. The caller proves itself in the Authorization header, or by members named as in a form.

    ``certificate`` (``x5t#S256``): thumbprint of the certificate that all the tokens came with. Without it
    the caller has to compare ``cnf`` itself, as it has to check DPoP proofs.
    """

    tokens: list[str]
    audience: str | None = None
    single_use: bool = False
    certificate: str | None = msgspec.field(default=None, name="x5t#S256")
    client_id: str | None = None
    client_secret: str | None = None
    client_assertion: str | None = None
    client_assertion_type: str | None = None

    async def require_certificate(self, _: RealmState, claims: Mapping[str, Any]) -> None:
        """Raise PossessionError for a token that is bound to another certificate."""
        bound = confirmation_of(claims).get(CERTIFICATE)
        if bound is not None and bound != self.certificate:
            raise PossessionError("another certificate")

    def credentials(self) -> dict[str, str]:
        """The members that prove who the caller is."""
        members = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
        return {name: value for name in members if (value := getattr(self, name)) is not None}


_decode = msgspec.json.Decoder(VerifyRequest).decode


class VerifyEndpoint:
    """Checks up to ``MAX_TOKENS`` tokens, each by itself."""

    def __init__(self, node: Node, callers: Callers, verifier: TokenVerifier, metrics: AnswerMetrics) -> None:
        self._node = node
        self._callers = callers
        self._verifier = verifier
        self._log = TokenLog(metrics, "verify")

    async def __call__(self, request: Request) -> Reply:
        try:
            self._node.require_lease()
            wanted = _read(request.body)
            await self._callers.require(request, wanted.credentials(), lambda urls: urls.verify)
            results: list[dict[str, Any]] = []
            for start in range(0, len(wanted.tokens), _AT_ONCE):
                results += await self._verify(request.realm, wanted.tokens[start : start + _AT_ONCE], wanted)
                await asyncio.sleep(0)
        except KeyturnError as error:
            return caller_error(error, request)
        return json_reply(200, {"results": results}, NO_STORE)

    async def _verify(self, realm: str, tokens: Sequence[str], wanted: VerifyRequest) -> list[dict[str, Any]]:
        return list(await asyncio.gather(*(self._verify_one(realm, token, wanted) for token in tokens)))

    async def _verify_one(self, realm: str, token: str, wanted: VerifyRequest) -> dict[str, Any]:
        try:
            verified = await self._verifier.verify(
                realm,
                token,
                audience=wanted.audience,
                single_use=wanted.single_use,
                possession=left_to_the_caller if wanted.certificate is None else wanted.require_certificate,
            )
        except UnknownRealmError:
            raise
        except KeyturnError as error:
            # One token's keys may be out of reach while the others can be decided.
            if is_unavailable(error) and error.code != "keys_unavailable":
                raise
            self._log.refused(error.code, error.detail, realm)
            return {"active": False, "error": error.code}
        self._log.accepted()
        return {"active": True, "client_id": verified.client_id, "claims": verified.claims}


def _read(body: bytes) -> VerifyRequest:
    try:
        wanted = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidRequestError('the body has to be JSON of the form {"tokens": ["…"]}') from None
    if not 1 <= len(wanted.tokens) <= MAX_TOKENS:
        raise InvalidRequestError(f"there have to be 1 to {MAX_TOKENS} tokens")
    return wanted
