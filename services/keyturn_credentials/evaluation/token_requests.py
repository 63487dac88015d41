"""Evaluation of a token request: the decisions of the token endpoint, in its order."""

from datetime import UTC, datetime
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.evaluation import Evaluation, Steps, TokenPreview
from keyturn_credentials.domain.evaluation_checks import (
    ASSERTION,
    BY_SECRET,
    GRANT,
    SENDER_CONSTRAINT,
    TOKEN,
    WITHOUT_CREDENTIAL,
    checks_of_assertion,
)
from keyturn_credentials.domain.evaluation_request import EvaluationRequest
from keyturn_credentials.domain.secrets import StoredSecret
from keyturn_credentials.evaluation.phases import Phase, Texts, run
from keyturn_credentials.evaluation.previews import expiry_note, preview_of
from keyturn_credentials.evaluation.registered import require_credential
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import name_of_secret
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator, require_usable
from keyturn_shared.oauth.client_authentication.credentials import (
    SPIFFE_ASSERTION_TYPE,
    Attempt,
    Presented,
    PresentedSecret,
    read_credentials,
)
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant, require_service_account
from keyturn_shared.oauth.trusted_issuers import TrustedIssuer
from keyturn_shared.projection import ClientProjection

_NOT_AUTHENTICATED = (
    "No secret or assertion was given, so the token is shown for a client that has authenticated."
)


class TokenRequestEvaluator:
    """Evaluates token requests. None of its parts has an effect."""

    def __init__(
        self, decider: Decider, authenticator: Authenticator, issuer: AccessTokenIssuer, clock: Clock
    ) -> None:
        self._decider = decider
        self._authenticator = authenticator
        self._issuer = issuer
        self._clock = clock

    async def evaluate(self, realm: str, client: Client, request: EvaluationRequest) -> Evaluation:
        """Evaluate a request of this client. Raises StoreUnavailableError."""
        asked = _TokenRequest(self._decider, self._authenticator, self._issuer, self._clock)
        return await asked.evaluate(realm, client, request)


class _TokenRequest:
    """One token request, and what its decisions have led to so far."""

    def __init__(
        self, decider: Decider, authenticator: Authenticator, issuer: AccessTokenIssuer, clock: Clock
    ) -> None:
        self._decider = decider
        self._authenticator = authenticator
        self._issuer = issuer
        self._clock = clock
        self._texts = Texts()
        self._attempt: Attempt | None = None
        self._token: TokenPreview | None = None
        self._realm: RealmState
        self._projection: ClientProjection
        self._grant: Grant

    async def evaluate(self, realm: str, client: Client, request: EvaluationRequest) -> Evaluation:
        self._realm_name, self._client, self._request = realm, client, request
        steps = Steps({client.client_id, realm})
        first, second = self._of_authentication()
        if await run(first, steps, self._texts):
            if request.secret is None and request.assertion is None:
                steps.skip("authentication", _NOT_AUTHENTICATED)
            if await run(second, steps, self._texts):
                self._say_binding(steps)
        else:
            for phase in second:
                steps.not_reached(phase.checks)
        return Evaluation(steps.steps, self._token)

    def _of_authentication(self) -> tuple[list[Phase], list[Phase]]:
        """Return the phases of the client's authentication, and those of its token."""
        request = self._request
        if request.assertion is not None:
            checks = checks_of_assertion(self._client.authenticator)
            first = [Phase((ASSERTION,), self._read), Phase(checks, self._authenticate)]
        elif request.secret is not None:
            first = [Phase((), self._read), Phase(BY_SECRET, self._authenticate)]
        else:
            first = [Phase(WITHOUT_CREDENTIAL, self._find)]
        return first, [Phase(GRANT, self._decide_grant), Phase((TOKEN,), self._issue)]

    async def _read(self) -> None:
        self._attempt = Attempt(_presented(self._client, self._request))

    async def _authenticate(self) -> None:
        attempt = self._attempt
        assert attempt is not None, "read first"  # noqa: S101 - a mistake in code

        async def decision(read_set: ReadSet) -> None:
            self._realm = await require_realm(read_set, self._realm_name)
            self._say_what_is_expected(attempt)
            self._projection = await self._authenticator.authenticate(read_set, self._realm, attempt)

        await self._decider.decide(decision)
        self._say_secret(attempt.credential)

    async def _find(self) -> None:
        async def decision(read_set: ReadSet) -> None:
            self._realm = await require_realm(read_set, self._realm_name)
            found = await read_set.client(self._realm, self._client.client_id)
            known = None if found is None else found.projection
            self._projection = require_usable(known, self._client.client_id)
            require_credential(self._realm, self._projection, self._clock.now())
            self._texts.notes["credential"] = (
                f"The client authenticates with {self._projection.authenticator}."
            )

        await self._decider.decide(decision)

    async def _decide_grant(self) -> None:
        client, notes = self._projection, self._texts.notes
        require_service_account(client)
        profile = self._realm.profile(client)
        grant = self._grant = decide_grant(profile, self._request.scope, self._request.targets)
        notes["scope"] = (
            f"The scope of the token is: {grant.scope}." if grant.scope else "The token has no scope."
        )
        audiences = ", ".join(grant.audiences or (self._realm.urls.issuer,))
        notes["resource"] = f"The token is for: {audiences}."

    async def _issue(self) -> None:
        issued = self._issuer.issue(self._realm, self._projection, self._grant)
        self._token = preview_of(issued.token, parse_compact(issued.token).claims)
        alg = self._token.header["alg"]
        self._texts.notes["token"] = f"It is valid for {issued.expires_in} s, and signed with {alg}."

    def _say_what_is_expected(self, attempt: Attempt) -> None:
        texts, token = self._texts, getattr(attempt.presented, "token", None)
        texts.notes["authenticator"] = f"The client authenticates with {self._client.authenticator}."
        texts.expected["authenticator"] = f"Registered: {self._client.authenticator}."
        if not isinstance(token, UnverifiedToken):
            return
        texts.expected["issuer"] = f"Expected as iss and sub: {self._client.client_id}."
        texts.expected["audience"] = f"Expected as aud: {', '.join(self._audiences(token.claims))}."
        texts.notes |= _notes_on(token, self._clock.now())
        texts.notes["single_use"] = self._on_single_use(token.claims)

    def _audiences(self, claims: dict[str, Any]) -> list[str]:
        accepted, identity = self._realm.audiences, self._client.federated
        if identity is not None and self._client.authenticator == "federated-jwt":
            issuer = self._trusted_issuer(claims)
            accepted = frozenset(identity.audiences) or (accepted if issuer is None else issuer.audiences)
        return sorted(accepted)

    def _trusted_issuer(self, claims: dict[str, Any]) -> TrustedIssuer | None:
        is_spiffe = self._request.assertion_type == SPIFFE_ASSERTION_TYPE
        return self._realm.issuers.find(claims, is_spiffe=is_spiffe)

    def _on_single_use(self, claims: dict[str, Any]) -> str:
        issuer = self._trusted_issuer(claims)
        if self._client.authenticator == "federated-jwt" and issuer and issuer.projection.is_reusable:
            return "Assertions of this identity provider may be used more than once."
        return "It has not been used yet, and this evaluation has not used it."

    def _say_secret(self, credential: str) -> None:
        secrets = self._client.secrets
        for stored, which in ((secrets.current, "current"), (secrets.rotated, "former")):
            if stored is not None and name_of_secret(stored.digest) == credential:
                self._texts.notes["secret"] = f"It is the {which} secret{_until(stored)}."
                return

    def _say_binding(self, steps: Steps) -> None:
        client = self._projection
        if client.mtls_bound_tokens or client.dpop_bound_tokens:
            proof = "certificate of the client" if client.mtls_bound_tokens else "DPoP proof"
            steps.skip(
                SENDER_CONSTRAINT,
                f"The client must also send a {proof}, which is not evaluated. The token then has cnf.",
            )


def _presented(client: Client, request: EvaluationRequest) -> Presented:
    """Read the credentials as they would be sent. Raises the errors of ``read_credentials``."""
    if request.secret is not None:
        by_post = "client_secret_post" in (request.method, f"client_secret_{client.secret_transport}")
        if request.method != "client_secret_basic" and by_post:
            return PresentedSecret("client_secret_post", client.client_id, request.secret)
        return PresentedSecret("client_secret_basic", client.client_id, request.secret)
    assertion = "" if request.assertion is None else request.assertion.reveal()
    parameters = {"client_assertion": assertion, "client_assertion_type": request.assertion_type}
    return read_credentials(None, {**parameters, "client_id": client.client_id})


def _notes_on(token: UnverifiedToken, now: float) -> dict[str, str]:
    kid = token.header.kid
    return {
        "algorithm": f"{token.header.algorithm.name} is allowed.",
        "key": "A key without a kid is known." if kid is None else f"The key {kid:.80} is known.",
        **expiry_note(token.claims, now),
    }


def _until(stored: StoredSecret) -> str:
    if stored.expires_at is None:
        return ""
    return f", accepted until {datetime.fromtimestamp(stored.expires_at, UTC):%Y-%m-%d %H:%M:%SZ}"
