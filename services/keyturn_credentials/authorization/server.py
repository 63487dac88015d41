"""Wiring of the endpoints for administrators."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from starlette.routing import BaseRoute

from keyturn_credentials.authorization.client_keys import ClientKeyFetcher
from keyturn_credentials.authorization.endpoints import Endpoints, RealmEndpoint
from keyturn_credentials.authorization.own_rotation import OwnRotationEndpoint, OwnRotationReadSet
from keyturn_credentials.authorization.read_set import DatabaseDecider, DatabaseReadSet
from keyturn_credentials.authorization.used_assertions import DatabaseAssertions
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.operations.own_rotations import OwnRotationOperations
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import LastUsedRegistry
from keyturn_shared.fleet.refusals import RefusalRegistry
from keyturn_shared.network.fetcher import GuardedFetcher
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.client_authentication.last_used import LastUsedRecorder
from keyturn_shared.oauth.client_authentication.refusals import RefusalRecorder
from keyturn_shared.oauth.client_authentication.registry import build_verifiers
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.oauth.metrics import AnswerMetrics, ThrottleMetrics
from keyturn_shared.oauth.sender_constraint.binding import TokenBinding
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck
from keyturn_shared.oauth.throttling.throttle import Throttle
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.signed_introspection import IntrospectionSigner
from keyturn_shared.oauth.tokens.verification import TokenVerifier
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.caller_authentication import Callers
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.introspect import IntrospectionEndpoint
from keyturn_shared.oauth.web.metadata import certs_document, discovery_document, metadata_endpoint
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from keyturn_shared.oauth.web.realm_info import RealmInfoEndpoint
from keyturn_shared.oauth.web.revoke import RevocationEndpoint, Revoke
from keyturn_shared.oauth.web.token import TokenEndpoint


class AdministratorsServer:
    """The nodes' endpoints, for administrators, who are checked against the database. ``uses``: records which
    credentials are in use; run it."""

    def __init__(
        self,
        store: Store,
        projector: Projector,
        fetcher: GuardedFetcher,
        redis: Redis,
        settings: CredentialsSettings,
        clock: Clock,
        registry: CollectorRegistry,
    ) -> None:
        self.last_used = LastUsedRecorder(LastUsedRegistry(redis), clock)
        self.refusals = RefusalRecorder(RefusalRegistry(redis), clock)
        self._settings = settings
        self._clock = clock
        self._metrics = AnswerMetrics(registry)
        # Each instance counts for itself: a count in Redis could be reset.
        throttled = ThrottleMetrics(registry)
        throttle = Throttle(settings.failure_limits(), None, throttled, clock.elapsed)
        # A fleet of clients with wrong secrets behind one address keeps no administrator out.
        of_clients = Throttle(settings.failure_limits(), None, throttled, clock.elapsed)
        self._addresses = CallerAddress(TrustedProxies(settings.trusted_proxies))
        self._log = AuthenticationLog(self._metrics, throttle, self._addresses, self.refusals)
        self._clients_log = AuthenticationLog(self._metrics, of_clients, self._addresses, self.refusals)
        source = (store, projector, settings.base_url, settings.mtls_base_url)
        self._decider = DatabaseDecider(DatabaseReadSet(*source))
        self._own_decider = DatabaseDecider(OwnRotationReadSet(*source))
        self._keys = ClientKeyFetcher(fetcher, settings.jwks_allowed_networks, clock)
        self._used = DatabaseAssertions(store, clock, settings.clock_skew)

    def routes(self, revoke: Revoke, rotations: OwnRotationOperations) -> Iterable[BaseRoute]:
        """Make the routes of every realm, like a node's."""
        settings, clock, decider = self._settings, self._clock, self._decider
        dpop = DpopCheck(self._used, clock, clock_skew=settings.clock_skew)
        certificates = CertificateSource(settings.certificate_header())
        assertions = AssertionCheck(
            self._keys,
            settings.fleet_ring(),
            self._used,
            clock,
            lifetime_cap=settings.assertion_max_lifetime,
            clock_skew=settings.clock_skew,
        )
        dummy_keys = DummyKeys()
        by_certificate = CertificateCheck(
            self._keys, settings.client_authorities(clock), clock, clock_skew=settings.clock_skew
        )
        by_secret = SecretCheck(settings.fleet_ring(), clock)
        verifiers = build_verifiers(assertions, by_secret, by_certificate, dummy_keys)
        authenticator = Authenticator(verifiers, self.last_used, administrators=True)
        verifier = TokenVerifier(
            decider, assertions, dummy_keys, self.last_used, clock, clock_skew=settings.clock_skew
        )
        callers = Callers(decider, authenticator, verifier, certificates, PossessionCheck(dpop), self._log)
        token = TokenEndpoint(
            decider,
            authenticator,
            certificates,
            TokenBinding(dpop),
            AccessTokenIssuer(clock),
            self._addresses,
            self._log,
        )
        introspection = IntrospectionEndpoint(
            decider, callers, verifier, IntrospectionSigner(clock), self._metrics
        )
        revocation = RevocationEndpoint(decider, authenticator, verifier, certificates, revoke, self._log)
        clients = Authenticator(verifiers, self.last_used)
        own = OwnRotationEndpoint(
            self._own_decider,
            clients,
            authenticator,
            rotations,
            clock,
            self._addresses,
            self._clients_log,
            clock_skew=settings.clock_skew,
        )
        discovery = metadata_endpoint(decider, discovery_document(settings.certificate_capabilities()))
        endpoints = Endpoints(self._metrics)
        return endpoints.routes(
            {
                "": RealmEndpoint(RealmInfoEndpoint(decider), ("GET", "HEAD")),
                "rotation": RealmEndpoint(own.show, ("POST",)),
                "rotation/delivered": RealmEndpoint(own.confirm, ("POST",)),
                "rotation/key": RealmEndpoint(own.register, ("POST",)),
                "protocol/openid-connect/token": RealmEndpoint(token, ("POST",)),
                "protocol/openid-connect/token/introspect": RealmEndpoint(introspection, ("POST",)),
                "protocol/openid-connect/revoke": RealmEndpoint(revocation, ("POST",)),
                "protocol/openid-connect/certs": RealmEndpoint(
                    metadata_endpoint(decider, certs_document), ("GET", "HEAD")
                ),
            },
            discovery=RealmEndpoint(discovery, ("GET", "HEAD")),
            public_path=settings.public_url.path or "",
        )
