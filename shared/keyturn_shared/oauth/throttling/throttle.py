"""Refuses callers that failed too often, until the window of their failures ends.

Failures are counted per (client, address) and per address, never per client alone: otherwise anyone who knows
a client's name could lock it out from anywhere. While no caller is refused, a request costs one look at an
empty map.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final, Protocol

import structlog

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.failures import FailureCount
from keyturn_shared.oauth.errors import TooManyFailuresError
from keyturn_shared.oauth.metrics import ThrottleMetrics
from keyturn_shared.oauth.throttling.counts import MAX_COUNTS, Counts
from keyturn_shared.tasks import end_tasks

_MAX_NAMES_AT_ONCE: Final = 500
_NO_REDIS_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FailureLimits:
    """Failures within ``window_seconds`` after which a caller is refused; 0: no limit."""

    per_client: int = 100
    per_address: int = 1000
    window_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller. ``address``: None if unknown, which is never refused: a proxy stands for many callers."""

    address: str | None
    realm: str
    client_id: str | None

    def names(self, limits: FailureLimits) -> list[tuple[str, int]]:
        """Return the names under which its failures are counted, each with its limit."""
        if self.address is None:
            return []
        names = [(f"address {self.address}", limits.per_address)]
        if self.client_id is not None:
            names.append((f"client {self.address} {self._digest()}", limits.per_client))
        return [(name, limit) for name, limit in names if limit > 0]

    def _digest(self) -> str:
        """Digest realm and client: the caller chooses their length."""
        text = f"{self.realm}\0{self.client_id}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class SharedCounts(Protocol):
    """Counts of a fleet. Raises RedisUnavailableError."""

    async def add(self, failures: Mapping[str, int]) -> dict[str, FailureCount]: ...


class Throttle:
    """Counts for this process at once, and for the fleet in the background.

    Failures during a round trip to Redis share the next one. While Redis is unavailable, or without
    ``registry``, each process counts alone.
    """

    def __init__(
        self,
        limits: FailureLimits,
        registry: SharedCounts | None,
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
        """True if any caller is refused; otherwise there is nothing to check."""
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
        """Count a failed authentication. It returns at once; Redis is updated in the background."""
        for name, limit in caller.names(self._limits):
            total, left = self._counts.add(name)
            self._apply_limit(name, limit, total, left)
            if self._registry is None:
                continue
            if name in self._waiting or len(self._waiting) < MAX_COUNTS:
                self._waiting[name] = self._waiting.get(name, 0) + 1
                self._limit_of[name] = limit
        if self._registry is not None and self._waiting and self._flight is None:
            self._flight = asyncio.create_task(self._report(self._registry), name="failure-counts")

    async def stop(self) -> None:
        await end_tasks(self._flight)

    def _apply_limit(self, name: str, limit: int, total: int, seconds_left: float) -> None:
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

    async def _report(self, registry: SharedCounts) -> None:
        try:
            while self._waiting:
                batch = {name: self._waiting.pop(name) for name in list(self._waiting)[:_MAX_NAMES_AT_ONCE]}
                limits = {name: self._limit_of.pop(name) for name in batch}
                try:
                    counts = await registry.add(batch)
                except RedisUnavailableError as error:
                    # What was not counted there is counted here, so nothing is counted twice.
                    self._metrics.not_shared.inc(sum(batch.values()))
                    _log.warning("failures_not_shared", error=error.detail)
                    await asyncio.sleep(_NO_REDIS_SECONDS)
                    continue
                for name, count in counts.items():
                    self._apply_limit(name, limits[name], count.total, count.seconds_left)
        finally:
            self._flight = None
