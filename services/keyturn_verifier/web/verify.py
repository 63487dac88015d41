"""``POST /realms/{realm}/verify``: many tokens in one request, with the reason for each refusal."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    InvalidRequestError,
    PossessionError,
    UnknownRealmError,
    is_unavailable,
)
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.sender_constraint.confirmation import CERTIFICATE, confirmation_of
from keyturn_shared.oauth.tokens.verification import TokenVerifier, left_to_the_caller
from keyturn_shared.oauth.web.caller_authentication import Callers
from keyturn_shared.oauth.web.errors import caller_error
from keyturn_shared.oauth.web.messages import NO_STORE, Reply, Request, encode_json, json_body
from keyturn_shared.oauth.web.outcome_log import TokenLog
from keyturn_verifier.replica.replica import Replica

MAX_TOKENS: Final = 1000
MAX_BYTES_WITHOUT_HEADER: Final = 1024 * 1024
"""Body limit for a request that has its credentials in the body, which must be read before the caller is
known."""
_BATCH_SIZE: Final = 4
"""Tokens checked before other requests get their turn, about a quarter of a millisecond, and key sets awaited
at the same time."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Members of the body that authenticate the caller."""

    client_id: str | None = None
    client_secret: str | None = None
    client_assertion: str | None = None
    client_assertion_type: str | None = None

    def members(self) -> dict[str, str]:
        """Return the members that are present, named as in a form."""
        members = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
        return {name: value for name in members if (value := getattr(self, name)) is not None}


class VerifyRequest(Credentials, frozen=True, kw_only=True):
    """The body. The caller authenticates in the Authorization header, or by members named as in a form.

    ``certificate`` (``x5t#S256``): thumbprint of the certificate presented with all the tokens. Without it,
    the caller must compare ``cnf`` itself, as it must check DPoP proofs.
    """

    tokens: list[str]
    audience: str | None = None
    single_use: bool = False
    certificate: str | None = msgspec.field(default=None, name="x5t#S256")

    async def require_certificate(self, _: RealmState, claims: Mapping[str, Any]) -> None:
        """Raise like ``compare_certificate``."""
        self.compare_certificate(claims)

    def compare_certificate(self, claims: Mapping[str, Any]) -> None:
        """Raise PossessionError for a token bound to another certificate."""
        bound = confirmation_of(claims).get(CERTIFICATE)
        if bound is not None and bound != self.certificate:
            raise PossessionError("another certificate")


_decode = msgspec.json.Decoder(VerifyRequest).decode
_decode_credentials = msgspec.json.Decoder(Credentials).decode
Body = TypeVar("Body")


class VerifyEndpoint:
    """Checks up to ``MAX_TOKENS`` tokens, each independently."""

    def __init__(
        self, replica: Replica, callers: Callers, verifier: TokenVerifier, metrics: AnswerMetrics
    ) -> None:
        self._replica = replica
        self._callers = callers
        self._verifier = verifier
        self._log = TokenLog(metrics, "verify")
        self._turn = asyncio.Lock()

    async def __call__(self, request: Request) -> Reply:
        try:
            self._replica.require_lease()
            wanted, caller = await self._read_of_known_caller(request)
            parts: list[bytes] = []
            for start in range(0, len(wanted.tokens), _BATCH_SIZE):
                batch = wanted.tokens[start : start + _BATCH_SIZE]
                async with self._turn:
                    results = self._verify_at_once(request.realm, batch, wanted, caller)
                    await asyncio.sleep(0)  # other requests get their turn before the next batch of any
                parts.append(encode_json(await self._complete(request.realm, batch, results, wanted, caller)))
        except KeyturnError as error:
            return caller_error(error, request)
        return json_body(200, b'{"results":[%b]}' % b",".join(part[1:-1] for part in parts), NO_STORE)

    async def _read_of_known_caller(self, request: Request) -> tuple[VerifyRequest, str]:
        """Return the request and the caller's client id. The tokens, possibly megabytes, are parsed only once
        the caller is authenticated. Raises authentication errors and InvalidRequestError."""
        in_header = request.authorization is not None
        credentials = {} if in_header else _read(request.body, _decode_credentials).members()
        client_id = await self._callers.require(request, credentials, lambda urls: urls.verify)
        wanted = _read(request.body, _decode)
        if in_header:
            others = wanted.members()
            named = others.pop("client_id", client_id)
            others.pop("client_assertion_type", None)  # there is no assertion, so it means nothing
            if others or (named != client_id and b"basic" in request.schemes):
                raise InvalidRequestError("more than one method of client authentication")
        if not 1 <= len(wanted.tokens) <= MAX_TOKENS:
            raise InvalidRequestError(f"expected 1 to {MAX_TOKENS} tokens, not {len(wanted.tokens)}")
        return wanted, client_id

    def _verify_at_once(
        self, realm: str, tokens: Sequence[str], wanted: VerifyRequest, caller: str
    ) -> list[dict[str, Any] | None]:
        """Verify without waiting what can be verified so; None for the others."""
        if wanted.single_use:
            return [None] * len(tokens)
        return [self._verify_one_at_once(realm, each, wanted, caller) for each in tokens]

    def _verify_one_at_once(
        self, realm: str, token: str, wanted: VerifyRequest, caller: str
    ) -> dict[str, Any] | None:
        try:
            verified = self._verifier.verify_at_once(realm, token, audience=wanted.audience, caller=caller)
            if verified is None:
                return None
            if verified.is_bound and wanted.certificate is not None:
                wanted.compare_certificate(verified.claims)
        except KeyturnError as error:
            return self._refused(error, realm)
        return _accepted(verified.client_id, verified.claims)

    async def _complete(
        self,
        realm: str,
        tokens: Sequence[str],
        results: list[dict[str, Any] | None],
        wanted: VerifyRequest,
        caller: str,
    ) -> list[dict[str, Any]]:
        """Verify the tokens that have no result yet, all at the same time."""
        missing = [token for token, result in zip(tokens, results, strict=True) if result is None]
        found = iter(
            await asyncio.gather(*(self._verify_one(realm, token, wanted, caller) for token in missing))
            if missing
            else ()
        )
        complete = [next(found) if result is None else result for result in results]
        self._log.accepted(sum(result["active"] for result in complete))
        return complete

    async def _verify_one(self, realm: str, token: str, wanted: VerifyRequest, caller: str) -> dict[str, Any]:
        try:
            verified = await self._verifier.verify(
                realm,
                token,
                audience=wanted.audience,
                single_use=wanted.single_use,
                possession=left_to_the_caller if wanted.certificate is None else wanted.require_certificate,
                caller=caller,
            )
        except UnknownRealmError:
            raise
        except KeyturnError as error:
            return self._refused(error, realm)
        return _accepted(verified.client_id, verified.claims)

    def _refused(self, error: KeyturnError, realm: str) -> dict[str, Any]:
        """Return the result of a refused token. Raises the error if it concerns all tokens."""
        # The keys of one token may be unavailable while the others can be decided.
        if is_unavailable(error) and error.code != "keys_unavailable":
            raise error
        self._log.refused(error.code, error.detail, realm)
        return {"active": False, "error": error.code}


def _accepted(client_id: str, claims: dict[str, Any]) -> dict[str, Any]:
    return {"active": True, "client_id": client_id, "claims": claims}


def _read(body: bytes, decode: Callable[[bytes], Body]) -> Body:
    try:
        return decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidRequestError('the body must be JSON of the form {"tokens": ["…"]}') from None
