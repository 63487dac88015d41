"""Key sets as a part of a process: a broker and a network of their own, and staying connected."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_shared.clock import Clock
from keyturn_shared.network.tls import client_context
from keyturn_shared.position import Position
from keyturn_shared.redis_broker import make_broker
from keyturn_shared.tasks import end_tasks
from keyturn_verifier.key_sets.guarded import GuardedDownload
from keyturn_verifier.key_sets.lookup import KeySetLookup
from keyturn_verifier.key_sets.parts import assemble
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.settings import VerifierSettings

_RETRY_SECONDS = 1.0
_ANSWER_SECONDS = 3.0

_log = structlog.get_logger(__name__)


class KeySetService:
    """Looks keys up for a node, and takes part in fetching them for the fleet.

    ``worker``: unique name of the process. ``position``: of the node, None for a process that only fetches.
    """

    def __init__(
        self,
        settings: VerifierSettings,
        redis: Redis,
        clock: Clock,
        registry: CollectorRegistry,
        worker: str,
        position: Callable[[], Position] | None,
    ) -> None:
        networks = [str(network) for network in settings.jwks_allowed_networks]
        policy = KeySetPolicy.for_interval(settings.jwks_min_interval, networks)
        tls = client_context(settings.jwks_ca_file)
        self._download = GuardedDownload(policy, tls=tls, proxy=settings.proxy())
        # Reads have a time limit: a connection cut without a word would else block for ever.
        self._broker = make_broker(settings.redis_url, socket_timeout=_ANSWER_SECONDS, logger=None)
        self._parts = assemble(
            redis=redis,
            broker=self._broker,
            download=self._download,
            policy=policy,
            clock=clock,
            registry=registry,
            worker=worker,
            position=position,
            polls=settings.fetcher_enabled,
        )
        self.connected = False
        self._task: asyncio.Task[None] | None = None

    def require_lookup(self) -> KeySetLookup:
        """The lookup of a node. Raises ValueError in a process that only fetches."""
        if self._parts.lookup is None:
            raise ValueError("a process without a position looks nothing up")
        return self._parts.lookup

    async def start(self) -> None:
        """Connect in the background, for as long as it takes."""
        self._task = asyncio.create_task(self._connect(), name="key-sets")

    async def stop(self) -> None:
        await end_tasks(self._task)
        self._task = None
        await self._parts.stop()
        with contextlib.suppress(Exception):  # what is left of a broker that was never connected
            await self._broker.stop()
        await self._download.close()

    async def _connect(self) -> None:
        while True:
            try:
                await self._broker.start()
            except Exception as error:  # noqa: BLE001 - FastStream raises many kinds when Redis is away
                _log.warning("key_sets_not_connected", error=repr(error))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                await self._parts.start()
                self.connected = True
                return
