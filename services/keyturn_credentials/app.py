"""The composition root: everything the service is made of is put together here, and what it can do in
``operations.composition``, which commands use too."""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request

from keyturn_credentials.console.access import ConsoleAccess
from keyturn_credentials.console.routes import ConsoleRoutes
from keyturn_credentials.console.sessions import SessionSealer, cookie_name
from keyturn_credentials.console.spent import SpentNumbers
from keyturn_credentials.console.throttle import Throttle
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.operations.bootstrap import FirstAdmin, bootstrap
from keyturn_credentials.operations.composition import Operations, build_operations
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.operations.upkeep_loop import UpkeepLoop
from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.redis_check import RedisCheck
from keyturn_credentials.relay.relay import Relay
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.failures import translated
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.addresses import SlashesIgnored
from keyturn_credentials.web.audit import AuditRoutes
from keyturn_credentials.web.authentication import AdminAuthenticator
from keyturn_credentials.web.bodies import BodyLimit
from keyturn_credentials.web.certificates import CertificateRoutes
from keyturn_credentials.web.client_keys import ClientKeyRoutes
from keyturn_credentials.web.clients import ClientRoutes
from keyturn_credentials.web.events import EventRoutes
from keyturn_credentials.web.exporting import ExportRoutes
from keyturn_credentials.web.fetched_keys import FleetKeySets
from keyturn_credentials.web.fleet import FleetRoutes
from keyturn_credentials.web.gate import Gate
from keyturn_credentials.web.importing import ImportRoutes
from keyturn_credentials.web.installation import InstallationRoutes
from keyturn_credentials.web.jwks_url import JwksUrlRoutes
from keyturn_credentials.web.jwks_urls import JwksUrlHealthRoutes
from keyturn_credentials.web.openapi.routes import openapi_route
from keyturn_credentials.web.problems import on_http_exception, on_keyturn_error, on_unexpected
from keyturn_credentials.web.realms import RealmRoutes
from keyturn_credentials.web.rotations import RotationRoutes
from keyturn_credentials.web.secrets import SecretRoutes
from keyturn_credentials.web.usage import UsageRoutes
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.network import GuardedFetcher
from keyturn_shared.network.tls import client_context
from keyturn_shared.redis_client import Endpoint, connect
from keyturn_shared.secret import Secret
from keyturn_shared.web.health import health_routes

_STOP_SECONDS: Final = 5.0
_RELAY_CONNECTIONS: Final = 2
_BODY_SECONDS: Final = 30.0

_log = structlog.get_logger(__name__)

OnFirstAdmin = Callable[[FirstAdmin], None]


class _FleetSide:
    """What talks to Redis: the relay, the waits, the view of the nodes."""

    def __init__(
        self,
        redis: Redis,
        engines: Engines,
        settings: CredentialsSettings,
        clock: Clock,
        metrics: CollectorRegistry,
    ) -> None:
        self._redis = redis
        # The relay has its own connections, so that nobody who waits holds it up.
        self._relay_redis = connect(settings.redis_url)
        self._settings = settings
        self._clock = clock
        self._metrics = RelayMetrics(metrics)
        self.registry = FleetRegistry(RedisScripts(redis))
        self.log = DatabaseEventLog(engines, clock)
        self.waiter = FleetWaiter(self.registry, self.log, clock)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._relay_redis.aclose()
        await self._redis.aclose()

    def relay_loop(self, engines: Engines) -> RelayLoop:
        terms = LeaseTerms(self._settings.lease_seconds, self._settings.lease_margin_seconds)
        relay = Relay(
            DatabaseEventLog(engines, self._clock),
            RelayChannel(RedisScripts(self._relay_redis), terms),
            self._clock,
            self._metrics,
            holder=f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4()}",
        )
        return RelayLoop(relay, self._metrics)


def build_app(
    settings: CredentialsSettings,
    *,
    clock: Clock | None = None,
    on_first_admin: OnFirstAdmin = lambda admin: None,
) -> Starlette:
    """The service as an ASGI application. Nothing is connected before its lifespan begins.

    ``on_first_admin`` is told of the admin made at the very first start. The lifespan raises
    ConfigurationError when the database cannot be used.
    """
    clock = clock or SystemClock()
    metrics = CollectorRegistry()
    engines = Engines(settings.database_url, pool_size=settings.database_pool_size)
    redis = connect(settings.redis_url)
    fleet = _FleetSide(redis, engines, settings, clock, metrics)
    # Connections of its own where there can be several writers: relaying does not wait behind callers.
    relay_engines = (
        Engines(settings.database_url, pool_size=_RELAY_CONNECTIONS) if engines.is_postgresql else engines
    )
    relay_loop = fleet.relay_loop(relay_engines)
    store = Store(
        engines, clock, settings.encryption_ring(), on_committed=lambda _sequence: relay_loop.wake()
    )
    operations = build_operations(store, clock, settings)

    redis_check = RedisCheck(
        redis,
        metrics,
        replicated=Endpoint.parse(settings.redis_url).kind != "single",
        lease_seconds=settings.lease_seconds,
    )
    upkeep = UpkeepLoop(
        operations.upkeep, operations.retention, metrics, seconds=settings.rotation_check_seconds
    )

    async def readiness() -> dict[str, str]:
        try:
            with translated():
                async with engines.finding() as connection:
                    await connection.execute(text("SELECT value FROM event_counter"))
        except StoreUnavailableError as error:
            return {"database": error.detail}
        return {}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(fleet.close)
            stack.push_async_callback(engines.close)
            stack.push_async_callback(relay_engines.close)
            await migrate(engines)
            first_admin = await _bootstrap(store, operations, settings)
            if first_admin is not None:
                on_first_admin(first_admin)
            await relay_loop.start()
            stack.push_async_callback(_stop, relay_loop)
            await redis_check.start()
            stack.push_async_callback(redis_check.stop)
            await upkeep.start()
            stack.push_async_callback(upkeep.stop)
            yield

    base_url = settings.base_url
    fetcher = GuardedFetcher(tls=client_context(settings.jwks_ca_file), proxy=settings.proxy())
    bearer = AdminAuthenticator(store, clock, base_url)
    is_secure = base_url.startswith("https:")
    console = ConsoleAccess(
        store,
        SessionSealer(store.encryption, clock),
        SecretMaker(settings.fleet_ring()),
        SpentNumbers(redis),
        cookie=cookie_name(secure=is_secure),
    )

    async def authenticate(request: Request) -> Principal:
        by_cookie = console.cookie in request.cookies and "authorization" not in request.headers
        return await (console if by_cookie else bearer).authenticate(request)

    fetched = FleetKeySets(redis)
    gate = Gate(authenticate, fleet.waiter, default_wait_seconds=settings.default_wait_seconds)
    routes = [
        *RealmRoutes(store, operations.realms, operations.realm_imports, base_url).routes(gate),
        *ClientRoutes(store, clock, operations.clients, base_url).routes(gate),
        *SecretRoutes(store, clock, operations.secrets).routes(gate),
        *CertificateRoutes(operations.certificates).routes(gate),
        *JwksUrlRoutes(store, fetcher, settings.jwks_allowed_networks).routes(gate),
        *ClientKeyRoutes(store, operations.keys, fetched).routes(gate),
        *UsageRoutes(store, redis).routes(gate),
        *JwksUrlHealthRoutes(store, fetched).routes(gate),
        *RotationRoutes(store, clock).routes(gate),
        *EventRoutes(store).routes(gate),
        *ImportRoutes(operations.imports).routes(gate),
        *ExportRoutes(store, clock).routes(gate),
        *InstallationRoutes(store, base_url).routes(gate),
        *AuditRoutes(store).routes(gate),
        *FleetRoutes(fleet.registry, fleet.waiter, fleet.log).routes(gate),
        openapi_route(gate),
        *ConsoleRoutes(console, Throttle(clock), secure=is_secure).routes(),
        *health_routes(readiness, metrics),
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(BodyLimit, limit=settings.request_body_limit, seconds=_BODY_SECONDS),
            Middleware(SlashesIgnored),
        ],
        exception_handlers={
            KeyturnError: on_keyturn_error,
            HTTPException: on_http_exception,
            Exception: on_unexpected,
        },
    )
    app.router.redirect_slashes = False
    app.state.gate = gate
    return app


async def _stop(relay_loop: RelayLoop) -> None:
    """Stop the relay, but not at any price: the next one copes with whatever this one leaves."""
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await relay_loop.stop()
    except TimeoutError:
        _log.warning("relay_did_not_stop_in_time", seconds=_STOP_SECONDS)


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
