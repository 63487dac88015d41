"""The composition root of a verifier node's HTTP service."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.client_authentication.secret_cache import SecretCache
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.sender_constraint.binding import TokenBinding
from keyturn_shared.oauth.sender_constraint.nonces import Nonces
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.signed_introspection import IntrospectionSigner
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.caller_authentication import Callers
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.introspect import IntrospectionEndpoint
from keyturn_shared.oauth.web.known_callers import KnownCallers
from keyturn_shared.oauth.web.metadata import certs_document, discovery_document, metadata_endpoint
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from keyturn_shared.oauth.web.realm_info import RealmInfoEndpoint
from keyturn_shared.oauth.web.revoke import RevocationEndpoint
from keyturn_shared.oauth.web.token import TokenEndpoint
from keyturn_shared.redis_client import connect
from keyturn_shared.runtime.supervisor import Supervisor
from keyturn_shared.secret import Secret
from keyturn_shared.web.health import MetricsPage, health_routes
from keyturn_shared.web.proxy_chain import ProxyChainCheck
from keyturn_shared.web.request_metrics import RequestMetrics
from keyturn_verifier.core import VerifierCore
from keyturn_verifier.key_set_service import KeySetService
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.shadow.other_server import OtherServer
from keyturn_verifier.shadow.shadow import WORKERS, Shadow, ShadowedEndpoint
from keyturn_verifier.web.administrators import CredentialsServiceClient
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.forward_auth import ForwardAuthEndpoint
from keyturn_verifier.web.forwarded_request import ForwardedRequests
from keyturn_verifier.web.revocations import RevocationsElsewhere
from keyturn_verifier.web.verify import MAX_BYTES_WITHOUT_HEADER, VerifyEndpoint

_PROTOCOL = "protocol/openid-connect"
_METADATA = ("openid-configuration", "oauth-authorization-server")
_READ = ("GET", "HEAD")


def create_app(
    settings: VerifierSettings,
    clock: Clock | None = None,
    *,
    to_credentials: httpx.AsyncBaseTransport | None = None,
    registry: CollectorRegistry | None = None,
    metrics_page: MetricsPage | None = None,
) -> VerifierApplication:
    """Build the ASGI application; its lifespan joins and leaves the fleet. ``to_credentials``: the transport
    to the credentials service, in place of the network. ``registry``: of its metrics; a new one by default.
    ``metrics_page``: the page to show instead of these metrics. Raises ConfigurationError."""
    clock = clock or SystemClock()
    registry = registry or CollectorRegistry()
    core = VerifierCore(settings, clock, registry)
    address_resolver = CallerAddress(TrustedProxies(settings.trusted_proxies), ProxyChainCheck(registry))
    certificates = CertificateSource(settings.certificate_header())
    credentials_service = CredentialsServiceClient(
        settings.credentials_base_url,
        certificates,
        address_resolver,
        tls=settings.credentials_tls(),
        transport=to_credentials,
    )

    shadow = _shadow(settings, core, clock, registry)
    requests = RequestMetrics(registry)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await core.start()
        if shadow is not None:
            await shadow.start()
        try:
            yield
        finally:
            if shadow is not None:
                await shadow.stop()
            await credentials_service.close()
            await core.stop()

    operational_app = Starlette(
        routes=health_routes(core.not_ready, registry, metrics_page=metrics_page), lifespan=lifespan
    )
    return VerifierApplication(
        _realm_routes(
            settings, core, clock, address_resolver, certificates, credentials_service, shadow, requests
        ),
        operational_app,
        core.answer_metrics,
        _well_known_routes(settings, core, requests),
        lambda: lifespan(operational_app),
        core.not_ready,
    )


def create_fetcher_app(settings: VerifierSettings, clock: Clock | None = None) -> VerifierApplication:
    """Build the application of a process that only fetches key sets: health and metrics."""
    clock = clock or SystemClock()
    registry = CollectorRegistry()
    redis = connect(settings.redis_url)
    worker = f"{settings.node_id}.{secrets.token_hex(3)}"
    fetching = settings.model_copy(update={"fetcher_enabled": True})
    service = KeySetService(fetching, redis, clock, registry, worker, None)
    supervisor = Supervisor(registry)
    supervisor.watch(*service.tasks)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()
            await redis.aclose()

    async def not_ready() -> dict[str, str]:
        return supervisor.not_ready() or ({} if service.connected else {"redis": "not connected"})

    operational_app = Starlette(routes=health_routes(not_ready, registry), lifespan=lifespan)
    return VerifierApplication(
        {}, operational_app, AnswerMetrics(registry), lifespan=lambda: lifespan(operational_app)
    )


def _realm_routes(
    settings: VerifierSettings,
    core: VerifierCore,
    clock: Clock,
    address_resolver: CallerAddress,
    certificates: CertificateSource,
    credentials_service: CredentialsServiceClient,
    shadow: Shadow | None,
    requests: RequestMetrics,
) -> dict[str, Route]:
    proxies = TrustedProxies(settings.trusted_proxies)
    log = AuthenticationLog(core.answer_metrics, core.throttle, address_resolver, core.refusals)
    core.run(core.refusals.task)
    possession = PossessionCheck(core.dpop)
    issuer = AccessTokenIssuer(clock)
    rings = settings.require_realm_rings()
    nonces = Nonces(rings, clock) if settings.dpop_nonces else None
    authenticator = core.make_authenticator(rings)
    known = KnownCallers(core.replica, authenticator, log, SecretCache(clock.now))
    callers = Callers(core.replica, authenticator, core.verifier, certificates, possession, log, known)
    token = TokenEndpoint(
        core.replica,
        authenticator,
        certificates,
        TokenBinding(core.dpop, nonces),
        issuer,
        address_resolver,
        log,
        credentials_service,
        known,
    )
    introspect = IntrospectionEndpoint(
        core.replica,
        callers,
        core.verifier,
        IntrospectionSigner(clock),
        core.answer_metrics,
        credentials_service,
        known,
    )
    revoke = RevocationEndpoint(
        core.replica,
        authenticator,
        core.verifier,
        certificates,
        RevocationsElsewhere(credentials_service, rings),
        log,
        credentials_service,
    )
    verify = VerifyEndpoint(core.replica, callers, core.verifier, core.answer_metrics)
    forward_auth = ForwardAuthEndpoint(
        core.replica,
        core.verifier,
        certificates,
        possession,
        ForwardedRequests(proxies),
        core.answer_metrics,
    )
    shadowed = introspect if shadow is None else ShadowedEndpoint(introspect, shadow)
    discovery = metadata_endpoint(core.replica, discovery_document(settings.certificate_capabilities()))
    certs = metadata_endpoint(core.replica, certs_document)
    limit = settings.request_body_limit
    counted = requests.of
    asked_by_gateways = Route(
        forward_auth, None, limit, at_once=forward_auth.at_once, counted=counted("forward_auth")
    )
    metadata = Route(discovery, _READ, limit, counted=counted("discovery"))
    return {
        "": Route(
            RealmInfoEndpoint(core.replica, credentials_service), _READ, limit, counted=counted("realm")
        ),
        f"{_PROTOCOL}/token": Route(token, ("POST",), limit, at_once=token.at_once, counted=counted("token")),
        f"{_PROTOCOL}/token/introspect": Route(
            shadowed, ("POST",), limit, at_once=shadowed.at_once, counted=counted("introspect")
        ),
        f"{_PROTOCOL}/revoke": Route(revoke, ("POST",), limit, counted=counted("revoke")),
        f"{_PROTOCOL}/certs": Route(certs, _READ, limit, counted=counted("certs")),
        **{f".well-known/{kind}": metadata for kind in _METADATA},
        "verify": Route(
            verify,
            ("POST",),
            settings.verify_body_limit,
            MAX_BYTES_WITHOUT_HEADER,
            counted=counted("verify"),
        ),
        "forward-auth": asked_by_gateways,
        # Envoy appends the path of the request it asks about.
        "forward-auth/": asked_by_gateways,
    }


def _shadow(
    settings: VerifierSettings, core: VerifierCore, clock: Clock, registry: CollectorRegistry
) -> Shadow | None:
    """Build the shadow mode, if it is configured."""
    secret = settings.shadow_client_secret
    if settings.shadow_url is None or settings.shadow_client_id is None or secret is None:
        return None
    other = OtherServer(
        str(settings.shadow_url),
        settings.shadow_client_id,
        Secret(secret.get_secret_value()),
        connections=WORKERS,
        tls=settings.shadow_tls(),
    )
    shadow = Shadow(other, settings.shadow_share, registry, elapsed=clock.elapsed)
    core.watch(*shadow.tasks)
    return shadow


def _well_known_routes(
    settings: VerifierSettings, core: VerifierCore, requests: RequestMetrics
) -> dict[str, Route]:
    """Return the RFC 8414 section 3.1 metadata routes: ``/.well-known/<kind>`` followed by the issuer's path.
    Both forms exist because a gateway may strip the public URL's path."""
    document = discovery_document(settings.certificate_capabilities())
    route = Route(
        metadata_endpoint(core.replica, document),
        _READ,
        settings.request_body_limit,
        counted=requests.of("discovery"),
    )
    paths = ("", (settings.public_url.path or "").rstrip("/"))
    return {f"/.well-known/{kind}{path}/realms/": route for kind in _METADATA for path in paths}
