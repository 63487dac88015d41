"""The composition root of a verifier node's HTTP service."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.redis_client import connect
from keyturn_shared.web.health import health_routes
from keyturn_verifier.core import VerifierCore
from keyturn_verifier.key_set_service import KeySetService
from keyturn_verifier.possession.binding import TokenBinding
from keyturn_verifier.possession.nonces import Nonces
from keyturn_verifier.possession.requirement import PossessionCheck
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.tokens.access_tokens import AccessTokenIssuer
from keyturn_verifier.tokens.signed_introspection import IntrospectionSigner
from keyturn_verifier.web.answers import AuthenticationLog
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.caller_address import CallerAddress
from keyturn_verifier.web.callers import Callers
from keyturn_verifier.web.certificate_source import CertificateSource
from keyturn_verifier.web.forward_auth import ForwardAuthEndpoint
from keyturn_verifier.web.introspect import IntrospectionEndpoint
from keyturn_verifier.web.metadata import certs_document, discovery_document, metadata_endpoint
from keyturn_verifier.web.token import TokenEndpoint
from keyturn_verifier.web.verify import VerifyEndpoint

_PROTOCOL = "protocol/openid-connect"
_METADATA = ("openid-configuration", "oauth-authorization-server")
_READ = ("GET", "HEAD")


def create_app(settings: VerifierSettings, clock: Clock | None = None) -> VerifierApplication:
    """The ASGI application; its lifespan joins the fleet and leaves it."""
    clock = clock or SystemClock()
    registry = CollectorRegistry()
    core = VerifierCore(settings, clock, registry)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await core.start()
        try:
            yield
        finally:
            await core.stop()

    others = Starlette(routes=health_routes(core.not_ready, registry), lifespan=lifespan)
    return VerifierApplication(
        _realm_routes(settings, core, clock),
        others,
        core.answer_metrics,
        _well_known_routes(settings, core),
    )


def create_fetcher_app(settings: VerifierSettings, clock: Clock | None = None) -> Starlette:
    """Health and metrics of a process that only fetches key sets; its lifespan is the fetching."""
    clock = clock or SystemClock()
    registry = CollectorRegistry()
    redis = connect(settings.redis_url)
    worker = f"{settings.node_id}.{secrets.token_hex(3)}"
    fetching = settings.model_copy(update={"fetcher_enabled": True})
    service = KeySetService(fetching, redis, clock, registry, worker, None)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()
            await redis.aclose()

    async def not_ready() -> dict[str, str]:
        return {} if service.connected else {"redis": "not connected"}

    return Starlette(routes=health_routes(not_ready, registry), lifespan=lifespan)


def _realm_routes(settings: VerifierSettings, core: VerifierCore, clock: Clock) -> dict[str, Route]:
    log = AuthenticationLog(core.answer_metrics, core.throttle, CallerAddress(settings.trusted_proxies))
    certificates = CertificateSource(settings.certificate_header())
    possession = PossessionCheck(core.dpop)
    issuer = AccessTokenIssuer(clock)
    nonces = Nonces(settings.fleet_ring(), clock) if settings.dpop_nonces else None
    callers = Callers(core.node, core.authenticator, core.verifier, certificates, possession, log)
    token = TokenEndpoint(
        core.node, core.authenticator, certificates, TokenBinding(core.dpop, nonces), issuer, log
    )
    introspect = IntrospectionEndpoint(
        core.node, callers, core.verifier, IntrospectionSigner(clock), core.answer_metrics
    )
    verify = VerifyEndpoint(core.node, callers, core.verifier, core.answer_metrics)
    forward_auth = ForwardAuthEndpoint(
        core.node, core.verifier, certificates, possession, core.answer_metrics
    )
    discovery = metadata_endpoint(core.node, discovery_document(settings.certificate_abilities()))
    certs = metadata_endpoint(core.node, certs_document)
    limit = settings.request_body_limit
    return {
        f"{_PROTOCOL}/token": Route(token, ("POST",), limit),
        f"{_PROTOCOL}/token/introspect": Route(introspect, ("POST",), limit),
        f"{_PROTOCOL}/certs": Route(certs, _READ, limit),
        **{f".well-known/{kind}": Route(discovery, _READ, limit) for kind in _METADATA},
        "verify": Route(verify, ("POST",), settings.verify_body_limit),
        "forward-auth": Route(forward_auth, None, limit),
        # Envoy puts the path of the request it asks about behind this one.
        "forward-auth/": Route(forward_auth, None, limit),
    }


def _well_known_routes(settings: VerifierSettings, core: VerifierCore) -> dict[str, Route]:
    """The metadata where RFC 8414 3.1 has it: the issuer's path behind the well-known one.

    Where the public URL has a path of its own, a gateway may take it away here or leave it.
    """
    document = discovery_document(settings.certificate_abilities())
    route = Route(metadata_endpoint(core.node, document), _READ, settings.request_body_limit)
    paths = ("", (settings.public_url.path or "").rstrip("/"))
    return {f"/.well-known/{kind}{path}/realms/": route for kind in _METADATA for path in paths}
