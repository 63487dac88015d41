"""Wiring of evaluations. Everything that verifiers would change is left as it is."""

from collections.abc import Awaitable, Callable

from keyturn_credentials.authorization.client_keys import ClientKeyFetcher
from keyturn_credentials.authorization.read_set import DatabaseDecider
from keyturn_credentials.authorization.used_assertions import DatabaseAssertions
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.evaluation import Evaluation
from keyturn_credentials.domain.evaluation_request import EvaluationRequest
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import KeyPurpose
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.evaluation.access_tokens import AccessTokenEvaluator
from keyturn_credentials.evaluation.keys import EvaluationKeys
from keyturn_credentials.evaluation.no_effects import (
    NothingNoted,
    UnmarkedAdministrators,
    UnmarkedAssertions,
)
from keyturn_credentials.evaluation.read_set import EvaluationReadSet
from keyturn_credentials.evaluation.token_requests import TokenRequestEvaluator
from keyturn_credentials.queries.fetched_keys import FleetKeySets
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.network.fetcher import GuardedFetcher
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck, KeyLookup
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.client_authentication.registry import build_verifiers
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.oauth.ports import UsedAssertions
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.verification import TokenVerifier


class Evaluator:
    """Evaluates what nodes would decide for clients, and this service for administrators, from the committed
    state."""

    def __init__(
        self,
        store: Store,
        projector: Projector,
        stored_keys: FleetKeySets,
        fetcher: GuardedFetcher,
        scripts: Scripts,
        partitioning: Callable[[], Awaitable[Partitioning]],
        settings: CredentialsSettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._projector = projector
        self._settings = settings
        self._clock = clock
        # Limits of its own, so that evaluations keep no administrator from signing in.
        fetched = ClientKeyFetcher(fetcher, settings.jwks_allowed_networks, clock)
        self._of_clients = self._build(
            KeyPurpose.CLIENTS,
            EvaluationKeys(stored_keys, fetched, clock),
            UnmarkedAssertions(scripts, partitioning, settings.clock_skew),
        )
        self._of_administrators = self._build(
            KeyPurpose.ADMINISTRATORS,
            fetched,
            UnmarkedAdministrators(DatabaseAssertions(store, clock, settings.clock_skew)),
        )

    async def evaluate(self, realm: str, client: Client, request: EvaluationRequest) -> Evaluation:
        """Evaluate a request for this client. Raises InvalidRequestError and StoreUnavailableError."""
        administers = realm == MASTER or bool(client.admin_roles)
        requests, tokens = self._of_administrators if administers else self._of_clients
        if request.access_token is None:
            return await requests.evaluate(realm, client, request)
        audience = request.targets[0] if request.targets else None
        return await tokens.evaluate(realm, client, request.access_token, audience)

    def _build(
        self, purpose: KeyPurpose, keys: KeyLookup, used: UsedAssertions
    ) -> tuple[TokenRequestEvaluator, AccessTokenEvaluator]:
        settings, clock, skew = self._settings, self._clock, self._settings.clock_skew
        decider = DatabaseDecider(
            EvaluationReadSet(
                self._store, self._projector, settings.base_url, settings.mtls_base_url, purpose
            )
        )
        assertions = AssertionCheck(
            keys,
            settings.fleet_ring(),
            used,
            clock,
            lifetime_cap=settings.assertion_max_lifetime,
            clock_skew=skew,
        )
        certificates = CertificateCheck(keys, settings.client_authorities(clock), clock, clock_skew=skew)
        dummy_keys = DummyKeys()
        verifiers = build_verifiers(
            assertions, SecretCheck(settings.fleet_ring(), clock), certificates, dummy_keys
        )
        administers = purpose is KeyPurpose.ADMINISTRATORS
        authenticator = Authenticator(verifiers, NothingNoted(), administrators=administers)
        verifier = TokenVerifier(decider, assertions, dummy_keys, NothingNoted(), clock, clock_skew=skew)
        issuer = AccessTokenIssuer(clock)
        return (
            TokenRequestEvaluator(decider, authenticator, issuer, clock),
            AccessTokenEvaluator(verifier, clock),
        )
