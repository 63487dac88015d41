"""Key sets within a process: their own broker and resolver threads, and a connection that is kept up."""

import contextlib
from collections.abc import Callable
from typing import Any, Final

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_shared.clock import Clock
from keyturn_shared.position import Position
from keyturn_shared.redis_broker import make_broker
from keyturn_shared.redis_failures import redis_answers
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_verifier.key_sets.http_download import GuardedDownload
from keyturn_verifier.key_sets.lookup import KeySetLookup
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.wiring import assemble
from keyturn_verifier.settings import VerifierSettings

_RETRY: Final = Backoff(first=1.0, longest=1.0)
_ANSWER_SECONDS: Final = 3.0


class KeySetService:
    """Finds keys for a node, and takes part in fetching them for the fleet. ``worker``: unique name of the
    process. ``position``: the node's position, None in a process that only fetches."""

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
        policy = KeySetPolicy.for_interval(
            settings.jwks_min_interval, networks, new_key_timeout=settings.jwks_new_key_seconds
        )
        tls = settings.jwks_tls()
        self._download = GuardedDownload(policy, tls=tls, proxy=settings.proxy())
        # Reads have a time limit: a connection cut without notice would block forever.
        self._broker = make_broker(settings.redis_url, socket_timeout=_ANSWER_SECONDS, logger=None)
        self._parts = assemble(
            redis=redis,
            broker=self._broker,
            download=self._download,
            policy=policy,
            clock=clock,
            registry=registry,
            worker=worker,
            seal=settings.key_set_seal(),
            position=position,
            polls=settings.fetcher_enabled,
        )
        self._redis: Any = redis  # a cluster client has this command too
        self.connected = False
        self._connecting = SupervisedTask(
            "key-sets-connect", self._connect, elapsed=clock.elapsed, backoff=_RETRY, finite=True
        )
        self.tasks: Final = [self._connecting, *self._parts.tasks]

    def require_lookup(self) -> KeySetLookup:
        """Return the lookup of a node. Raises ValueError in a process that only fetches."""
        if self._parts.lookup is None:
            raise ValueError("a process without a position cannot look up keys")
        return self._parts.lookup

    async def start(self) -> None:
        """Connect in the background, however long it takes."""
        await self._connecting.start()

    async def stop(self) -> None:
        await self._connecting.stop()
        await self._parts.stop()
        with contextlib.suppress(Exception):  # a broker that never connected may fail to stop
            await self._broker.stop()
        await self._download.close()

    async def _connect(self) -> None:
        try:
            # Wait for Redis first: FastStream restarts a failed reader without a pause.
            with redis_answers("connecting for key sets"):
                await self._redis.ping()
                await self._broker.start()
        except (
            Exception
        ):  # stop the broker before the next attempt, whatever failed; the error is raised again
            with contextlib.suppress(Exception):  # a broker that did not connect may fail to stop
                await self._broker.stop()
            raise
        await self._parts.start()
        self.connected = True
