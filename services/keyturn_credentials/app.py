"""The composition root of the HTTP service. ``operations.wiring``, which commands use too, assembles the
operations."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request

from keyturn_credentials.authorization.server import AdministratorsServer
from keyturn_credentials.console.one_time_tokens import OneTimeTokens
from keyturn_credentials.console.origin import OwnOrigin
from keyturn_credentials.console.person_routes import PersonRoutes
from keyturn_credentials.console.persons import Persons
from keyturn_credentials.console.routes import ConsoleRoutes
from keyturn_credentials.console.sessions import SessionSealer, cookie_name
from keyturn_credentials.console.throttle import Throttle
from keyturn_credentials.derived_keys import tell_of_derived_keys
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.evaluation.evaluator import Evaluator
from keyturn_credentials.fleet.broadcast import FleetBroadcast
from keyturn_credentials.fleet.propagation_view import FleetWatch
from keyturn_credentials.fleet_wiring import FleetSide
from keyturn_credentials.http.problems import on_http_exception, on_keyturn_error, on_unexpected
from keyturn_credentials.oidc.flow import PersonSignIn
from keyturn_credentials.oidc.provider import Provider
from keyturn_credentials.operations.access_journal import AccessJournal
from keyturn_credentials.operations.audit_chain_loop import build_audit_chain
from keyturn_credentials.operations.first_admin import FirstAdmin, bootstrap
from keyturn_credentials.operations.maintenance_loop import MaintenanceLoop
from keyturn_credentials.operations.notice_wiring import build_notices
from keyturn_credentials.operations.rotation_wiring import build_rotations
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.signing_loop import SigningLoop
from keyturn_credentials.operations.wiring import Operations, build_operations
from keyturn_credentials.queries.administrators import AdministratorQueries
from keyturn_credentials.queries.fetched_keys import FleetKeySets
from keyturn_credentials.queries.policy_trials import PolicyTrials
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.queries.rotations import RotationQueries
from keyturn_credentials.queries.service_accounts import ServiceAccountQueries
from keyturn_credentials.relay.redis_check import RedisCheck
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.encryption_check import refuse_foreign_keys
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.shared_sessions import refuse_shared_sessions
from keyturn_credentials.store.signatures import Signatures
from keyturn_credentials.store.unit_of_work import Store
from keyturn_credentials.store.write_probe import WriteProbe
from keyturn_credentials.web.audit import AuditRoutes
from keyturn_credentials.web.authentication import AdminAuthenticator
from keyturn_credentials.web.certificates import CertificateRoutes
from keyturn_credentials.web.client_keys import ClientKeyRoutes
from keyturn_credentials.web.client_refusals import ClientRefusalRoutes
from keyturn_credentials.web.client_scopes import ClientScopeRoutes
from keyturn_credentials.web.clients import ClientRoutes
from keyturn_credentials.web.evaluation import EvaluationRoutes
from keyturn_credentials.web.events import EventRoutes
from keyturn_credentials.web.expiring_secrets import ExpiringSecretRoutes
from keyturn_credentials.web.exporting import ExportRoutes
from keyturn_credentials.web.fleet import FleetRoutes
from keyturn_credentials.web.gate import Gate
from keyturn_credentials.web.identity_providers import IdentityProviderRoutes
from keyturn_credentials.web.importing import ImportRoutes
from keyturn_credentials.web.installation import InstallationRoutes
from keyturn_credentials.web.jwks_url_health import JwksUrlHealthRoutes
from keyturn_credentials.web.jwks_url_probe import JwksUrlRoutes
from keyturn_credentials.web.measured_waits import measured_waiter
from keyturn_credentials.web.middlewares import middlewares
from keyturn_credentials.web.noted_sign_in import NotedConsoleAccess
from keyturn_credentials.web.openapi.routes import openapi_route
from keyturn_credentials.web.protocol_mappers import ProtocolMapperRoutes
from keyturn_credentials.web.push_revocation import PushRevocationRoutes
from keyturn_credentials.web.readiness import Readiness
from keyturn_credentials.web.reading_tools import ReadingToolsRoutes
from keyturn_credentials.web.realm_notices import NoticeRoutes
from keyturn_credentials.web.realms import RealmRoutes
from keyturn_credentials.web.revocations import Revocations
from keyturn_credentials.web.role_mappings import RoleMappingRoutes
from keyturn_credentials.web.roles import RoleRoutes
from keyturn_credentials.web.rotations import RotationRoutes
from keyturn_credentials.web.scope_mappings import ScopeMappingRoutes
from keyturn_credentials.web.secrets import SecretRoutes
from keyturn_credentials.web.server_info import ServerInfoRoutes
from keyturn_credentials.web.streams import StreamLimits
from keyturn_credentials.web.usage import UsageRoutes
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.last_used import LastUsedRegistry
from keyturn_shared.fleet.refusals import RefusalRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.network.fetcher import GuardedFetcher
from keyturn_shared.redis_client import connect
from keyturn_shared.runtime.supervisor import Supervisor
from keyturn_shared.secret import Secret
from keyturn_shared.tracing.configuration import open_tracing
from keyturn_shared.web.health import health_routes

_RELAY_CONNECTIONS: Final = 2

OnFirstAdmin = Callable[[FirstAdmin], None]


def build_app(
    settings: CredentialsSettings,
    *,
    clock: Clock | None = None,
    on_first_admin: OnFirstAdmin = lambda admin: None,
    ending: asyncio.Event | None = None,
) -> Starlette:
    """Build the service as an ASGI application. It connects only when its lifespan begins.

    ``on_first_admin`` gets the admin created at the very first start. ``ending``: set when this process has
    no time left for waits for the fleet. The lifespan raises ConfigurationError
    when the database cannot be used.
    """
    clock = clock or SystemClock()
    metrics = CollectorRegistry()
    tracing = open_tracing(
        enabled=settings.tracing,
        service="keyturn-credentials",
        instance=f"{socket.gethostname()[:60]}:{os.getpid()}",
        registry=metrics,
    )
    tracer = None if tracing is None else tracing.tracer
    tell_of_derived_keys(settings, metrics)
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    redis = connect(settings.redis_url)
    fleet = FleetSide(redis, database, settings, clock, metrics, tracer=tracer, ending=ending)
    # The relay has its own connections where several writers are possible, so it does not wait behind
    # callers.
    relay_database = (
        Database(settings.database_url, pool_size=_RELAY_CONNECTIONS) if database.is_postgresql else database
    )
    relay_loop = fleet.relay_loop(relay_database)
    store = Store(
        database,
        clock,
        settings.encryption_ring(),
        log_keys=settings.log_keys(),
        on_committed=relay_loop.wake,
        tracer=tracer,
    )
    operations = build_operations(store, clock, settings)
    journal = AccessJournal(store, clock)
    redis_check = RedisCheck(
        redis,
        metrics,
        replicated=settings.redis_endpoint().kind != "single",
        lease_seconds=settings.lease_seconds,
        elapsed=clock.elapsed,
    )
    maintenance = MaintenanceLoop(
        operations.maintenance,
        operations.retention,
        operations.reprojection,
        metrics,
        seconds=settings.rotation_check_seconds,
        elapsed=clock.elapsed,
    )
    last_used = LastUsedRegistry(redis)
    fetched = FleetKeySets(redis, settings.named_fetcher_keys(), clock)
    rotations = build_rotations(
        store,
        operations,
        clock,
        metrics,
        last_used=last_used,
        has_applied=fleet.waiter.has_applied,
        fetched=fetched.thumbprints,
    )
    notices = build_notices(store, clock, metrics, settings, fetched.healths)
    signing = SigningLoop(Signatures(database, settings.log_keys()), clock, metrics)
    chaining = build_audit_chain(store, clock, metrics, settings)
    readiness = Readiness(WriteProbe(database, clock.elapsed), fleet.registry, relay_loop, chaining.degraded)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if tracing is not None:
                stack.push_async_callback(tracing.close)
            stack.push_async_callback(fleet.close)
            stack.push_async_callback(database.close)
            stack.push_async_callback(relay_database.close)
            stack.callback(fetcher.close)
            stack.callback(provider_fetcher.close)
            await refuse_shared_sessions(database)
            await migrate(database)
            await refuse_foreign_keys(database, settings.encryption_ring())
            first_admin = await _bootstrap(store, operations, settings)
            if first_admin is not None:
                on_first_admin(first_admin)
            await operations.maintenance.separate_administrators()
            await relay_loop.start()
            stack.push_async_callback(relay_loop.stop_in_time)
            stack.push_async_callback(journal.close)
            await supervisor.start()
            stack.push_async_callback(supervisor.stop)
            yield

    base_url = settings.base_url
    fetcher = GuardedFetcher(tls=settings.jwks_tls(), proxy=settings.proxy())
    bearer = AdminAuthenticator(AdministratorQueries(store), clock, base_url)
    is_secure = base_url.startswith("https:")
    sealer, throttle = SessionSealer(store.encryption, clock), Throttle(clock)
    oidc = settings.oidc()
    console = NotedConsoleAccess(
        store,
        sealer,
        SecretIssuer(settings.fleet_ring()),
        OneTimeTokens(redis),
        cookie=cookie_name(secure=is_secure),
        origin=OwnOrigin(base_url),
        persons=None if oidc is None else Persons(store, sealer, oidc),
        persons_only=settings.console_oidc_only,
        journal=journal,
    )
    provider_fetcher = GuardedFetcher(tls=settings.oidc_tls(), proxy=settings.proxy())
    persons = (
        []
        if oidc is None
        else PersonRoutes(
            console,
            PersonSignIn(Provider(oidc, provider_fetcher, clock), clock),
            sealer,
            throttle,
            secure=is_secure,
        ).routes()
    )

    async def authenticate(request: Request) -> Principal:
        by_cookie = console.cookie in request.cookies and "authorization" not in request.headers
        return await (console if by_cookie else bearer).authenticate(request)

    administrators = AdministratorsServer(
        store, operations.projector, fetcher, redis, settings, clock, metrics
    )
    supervisor = Supervisor(metrics)
    supervisor.watch(relay_loop.task)
    supervisor.add(
        redis_check.task,
        maintenance.task,
        administrators.last_used.task,
        administrators.refusals.task,
        signing.task,
        rotations.loop.task,
        *notices.tasks,
        journal.task,
        chaining.task,
    )

    async def not_ready() -> dict[str, str]:
        return supervisor.not_ready() | await readiness.not_ready()

    waiter = measured_waiter(fleet.waiter, metrics, clock.elapsed, tracer)
    gate = Gate(authenticate, waiter, journal, default_wait_seconds=settings.default_wait_seconds)
    revocations = Revocations(operations.tokens, gate.change_headers, settings.fleet_ring())
    shown, trials = RotationQueries(store, fleet.registry, clock), PolicyTrials(store, clock)
    evaluator = Evaluator(
        store,
        operations.projector,
        fetched,
        fetcher,
        RedisScripts(redis),
        fleet.partitioning,
        settings,
        clock,
    )
    accounts = ServiceAccountQueries(store, queries := Queries(store))
    routes = [
        *RealmRoutes(queries, operations.realms, operations.realm_imports, base_url).routes(gate),
        *ClientRoutes(queries, clock, operations.clients, base_url).routes(gate),
        *ClientScopeRoutes(queries, operations.scopes, base_url).routes(gate),
        *IdentityProviderRoutes(queries, operations.issuers, fetched, base_url).routes(gate),
        *ProtocolMapperRoutes(queries, operations.mappers, base_url).routes(gate),
        *RoleRoutes(queries, accounts, operations.roles, base_url).routes(gate),
        *ScopeMappingRoutes(queries, operations.scope_mappings).routes(gate),
        *RoleMappingRoutes(queries, accounts, operations.role_mappings).routes(gate),
        *SecretRoutes(queries, clock, operations.secrets).routes(gate),
        *CertificateRoutes(operations.certificates).routes(gate),
        *JwksUrlRoutes(queries, fetcher, settings.jwks_allowed_networks).routes(gate),
        *ClientKeyRoutes(queries, operations.keys, fetched).routes(gate),
        *UsageRoutes(queries, last_used).routes(gate),
        *ClientRefusalRoutes(queries, RefusalRegistry(redis)).routes(gate),
        *EvaluationRoutes(queries, evaluator, clock.elapsed).routes(gate),
        *JwksUrlHealthRoutes(queries, fetched).routes(gate),
        *ExpiringSecretRoutes(queries, clock).routes(gate),
        *NoticeRoutes(queries).routes(gate),
        *RotationRoutes(shown, trials, operations.rotations, rotations.keys).routes(gate),
        *EventRoutes(queries).routes(gate),
        *ImportRoutes(operations.imports).routes(gate),
        *ExportRoutes(queries, clock).routes(gate),
        *InstallationRoutes(queries, base_url).routes(gate),
        *AuditRoutes(queries).routes(gate),
        *FleetRoutes(
            fleet.registry,
            fleet.waiter,
            FleetBroadcast(lambda: FleetWatch(fleet.registry, fleet.log), metrics, elapsed=clock.elapsed),
            StreamLimits(settings.stream_limit, settings.stream_limit_client, metrics),
            clock,
        ).routes(gate),
        *PushRevocationRoutes(queries, fleet.waiter, fleet.log).routes(gate),
        *ServerInfoRoutes().routes(gate),
        *ReadingToolsRoutes(queries).routes(gate),
        openapi_route(gate),
        *persons,
        *ConsoleRoutes(console, throttle, secure=is_secure).routes(),
        *administrators.routes(revocations, rotations.own),
        *revocations.routes(),
        *health_routes(not_ready, metrics, degraded=readiness.degraded, exemplars=tracer is not None),
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=middlewares(settings, metrics, clock.elapsed, tracer),
        exception_handlers={
            KeyturnError: on_keyturn_error,
            HTTPException: on_http_exception,
            Exception: on_unexpected,
        },
    )
    app.router.redirect_slashes = False
    app.state.gate = gate
    return app


async def _bootstrap(
    store: Store, operations: Operations, settings: CredentialsSettings
) -> FirstAdmin | None:
    given = settings.bootstrap_admin_client_secret
    return await bootstrap(
        store,
        operations.realms,
        operations.clients,
        client_id=settings.bootstrap_admin_client_id,
        secret=Secret(given.get_secret_value()) if given else None,
    )
