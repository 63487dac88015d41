"""Evaluation of an access token: the decision of introspection."""

from collections.abc import Mapping
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.evaluation import Evaluation, Steps, TokenPreview
from keyturn_credentials.domain.evaluation_checks import (
    ACCESS_TOKEN,
    AUDIENCE,
    SENDER_CONSTRAINT,
    VERIFICATION,
)
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.evaluation.phases import Phase, Texts, run
from keyturn_credentials.evaluation.previews import expiry_note, preview_of
from keyturn_shared.clock import Clock
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.oauth.tokens.verification import TokenVerifier, left_to_the_caller
from keyturn_shared.secret import Secret


class AccessTokenEvaluator:
    """Evaluates access tokens of a realm. The verifier's parts have no effect."""

    def __init__(self, verifier: TokenVerifier, clock: Clock) -> None:
        self._verifier = verifier
        self._clock = clock

    async def evaluate(self, realm: str, client: Client, text: Secret, audience: str | None) -> Evaluation:
        """Evaluate a token that was issued to this client. ``audience``: a resource server that it must be
        for; None: any. Raises InvalidRequestError for a token of another client, and
        StoreUnavailableError."""
        texts, steps = Texts(), Steps({client.client_id, realm})
        claims: Mapping[str, Any] = {}

        async def read() -> None:
            token = parse_compact(text.reveal())
            _require_client(token.claims, client)
            texts.notes |= expiry_note(token.claims, self._clock.now())

        async def verify() -> None:
            nonlocal claims
            checked = await self._verifier.verify_access_token(
                realm, text.reveal(), audience=audience, possession=left_to_the_caller
            )
            claims = checked.own_claims()

        if audience is not None:
            texts.expected[AUDIENCE.name] = f"Expected in aud: {audience}."
        checks = [check for check in VERIFICATION if check is not AUDIENCE or audience is not None]
        token: TokenPreview | None = None
        if await run([Phase((ACCESS_TOKEN,), read), Phase(checks, verify)], steps, texts):
            token = preview_of(text.reveal(), claims)
            if audience is None:
                steps.skip(AUDIENCE.name, "No audience was named. A resource server accepts only its own.")
            if "cnf" in claims:
                steps.skip(
                    SENDER_CONSTRAINT,
                    "The token is bound to a key: its sender must prove to hold it, which is not evaluated.",
                )
        return Evaluation(steps.steps, token)


def _require_client(claims: Mapping[str, Any], client: Client) -> None:
    """Raise InvalidRequestError if the token names another client: its page says more."""
    named = claims.get("client_id")
    if isinstance(named, str) and named != client.client_id:
        raise InvalidRequestError("access_token was issued to another client: evaluate it there")
