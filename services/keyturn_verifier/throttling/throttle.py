"""Refuses callers that failed too often, for as long as the window lasts in which they did.

What is counted is (client, address) and address. Never a client alone: whoever knows a client's name could
then keep it from authenticating, from anywhere. While nobody is refused, a request costs one look at an empty
map.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

import structlog

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.failures import FailureRegistry
from keyturn_shared.tasks import end_tasks
from keyturn_verifier.errors import TooManyFailuresError
from keyturn_verifier.metrics import ThrottleMetrics
from keyturn_verifier.throttling.counts import MAX_COUNTS, Counts

_MAX_NAMES_AT_ONCE: Final = 500
_NO_REDIS_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FailureLimits:
    """Failures within ``window_seconds`` after which a caller is refused; 0: any number is let pass."""

    per_client: int = 100
    per_address: int = 1000
    window_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who fails. ``address``: None where it is not known, which is let pass: a proxy stands for many."""

    address: str | None
    realm: str
    client_id: str | None

    def names(self, limits: FailureLimits) -> list[tuple[str, int]]:
        """Under what its failures are counted, and how many there may be."""
        if self.address is None:
            return []
        names = [(f"address {self.address}", limits.per_address)]
        if self.client_id is not None:
            names.append((f"client {self.address} {self._digest()}", limits.per_client))
        return [(name, limit) for name, limit in names if limit > 0]

    def _digest(self) -> str:
        """Realm and client in few octets: a caller chooses how many it sends."""
        text = f"{self.realm}\0{self.client_id}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Throttle:
    """Counts for this node at once, and for the fleet in the background: failures that come while Redis is
    asked share the next round trip. While Redis is away, each node counts for itself."""

    def __init__(
        self,
        limits: FailureLimits,
        registry: FailureRegistry,
        metrics: ThrottleMetrics,
        elapsed: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._registry = registry
        self._metrics = metrics
        self._elapsed = elapsed
        self._counts = Counts(limits.window_seconds, elapsed)
        self._refused_until: dict[str, float] = {}
        self._waiting: dict[str, int] = {}
        self._limit_of: dict[str, int] = {}
        self._flight: asyncio.Task[None] | None = None

    @property
    def refuses_any(self) -> bool:
        """Whether there is anybody to refuse: if not, there is nothing to ask."""
        return bool(self._refused_until)

    def require(self, caller: Caller) -> None:
        """Raise TooManyFailuresError while the caller is refused."""
        now = self._elapsed()
        for name, _ in caller.names(self._limits):
            until = self._refused_until.get(name)
            if until is None:
                continue
            if now < until:
                self._metrics.throttled.labels(name.partition(" ")[0]).inc()
                raise TooManyFailuresError(ceil(until - now))
            del self._refused_until[name]

    def failed(self, caller: Caller) -> None:
        """The caller did not prove who it is. Takes no time: Redis hears of it later."""
        for name, limit in caller.names(self._limits):
            total, left = self._counts.add(name)
            self._judge(name, limit, total, left)
            if name in self._waiting or len(self._waiting) < MAX_COUNTS:
                self._waiting[name] = self._waiting.get(name, 0) + 1
                self._limit_of[name] = limit
        if self._waiting and self._flight is None:
            self._flight = asyncio.create_task(self._tell(), name="failure-counts")

    async def stop(self) -> None:
        await end_tasks(self._flight)

    def _judge(self, name: str, limit: int, total: int, seconds_left: float) -> None:
        if total < limit or seconds_left <= 0:
            return
        if len(self._refused_until) >= MAX_COUNTS:
            now = self._elapsed()
            self._refused_until = {each: until for each, until in self._refused_until.items() if now < until}
            if len(self._refused_until) >= MAX_COUNTS:
                self._refused_until.pop(next(iter(self._refused_until)))
        until = self._elapsed() + seconds_left
        known = self._refused_until.get(name)
        if known is None:
            self._metrics.refusals.labels(name.partition(" ")[0]).inc()
        self._refused_until[name] = until if known is None else max(known, until)

    async def _tell(self) -> None:
        try:
            while self._waiting:
                batch = {name: self._waiting.pop(name) for name in list(self._waiting)[:_MAX_NAMES_AT_ONCE]}
                limits = {name: self._limit_of.pop(name) for name in batch}
                try:
                    counts = await self._registry.add(batch)
                except RedisUnavailableError as error:
                    # What was not counted there is counted here: nothing is told twice.
                    self._metrics.not_shared.inc(sum(batch.values()))
                    _log.warning("failures_not_shared", error=error.detail)
                    await asyncio.sleep(_NO_REDIS_SECONDS)
                    continue
                for name, count in counts.items():
                    self._judge(name, limits[name], count.total, count.seconds_left)
        finally:
            self._flight = None
