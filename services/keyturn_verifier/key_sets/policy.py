"""Limits of fetching and using key sets. The composition root builds them from the settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_sets.freshness import LEASE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySetPolicy:
    """All times in seconds.

    Freshness: a client's ``Cache-Control`` or ``Expires`` counts within ``min_freshness`` and
    ``max_freshness``. A withdrawn key is accepted for at most ``max_freshness``, and for ``outage`` more only
    while its URL fails.

    Unknown kids: each URL has ``demand_burst`` fetches at once and one more every ``min_interval``, for the
    whole fleet; a fetch that found other keys is refunded. ``spacing``: the least time between two attempts
    on demand. A request waits at most ``find_timeout``; for a kid missing from a key set that is fetched
    without failures, at most ``new_key_timeout``, which by default outlasts ``min_interval``. At most
    ``waiters_per_url`` and ``waiters`` requests wait on one node, and as many again for key sets that fail or
    were never fetched; the node refuses the others at once.

    Failures: the n-th retry follows ``min_interval`` * 2^(n-1) after the attempt, at most ``max_backoff``, or
    ``max_demand_backoff`` when a client needs the keys.

    Polling: key sets used within ``idle`` are polled. ``lease``: how long a worker may take before another
    takes over. ``concurrency``, ``retry_concurrency``, ``demand_concurrency``: concurrent fetches of one
    process, of sound key sets, of failing ones, and for waiting requests. ``host_concurrency``: concurrent
    polls of one host by the whole fleet (twice that with demands).
    """

    min_interval: float = 10.0
    demand_burst: int = 2
    spacing: float = 0.25
    find_timeout: float = 5.0
    new_key_timeout: float = 12.0
    waiters_per_url: int = 64
    waiters: int = 1024

    default_freshness: float = 300.0
    min_freshness: float = 60.0
    max_freshness: float = 900.0
    outage: float = 3600.0

    max_backoff: float = 300.0
    max_demand_backoff: float = 60.0

    idle: float = 3600.0
    lease: float = LEASE_SECONDS
    fetch_timeout: float = 5.0
    concurrency: int = 256
    retry_concurrency: int = 64
    demand_concurrency: int = 64
    host_concurrency: int = 8

    max_bytes: int = 256 * 1024
    max_keys: int = 100
    allowed_networks: tuple[str, ...] = ()
    cached: int = 100_000

    @classmethod
    def for_interval(
        cls,
        min_interval: float,
        allowed_networks: Iterable[str] = (),
        *,
        new_key_timeout: float | None = None,
    ) -> Self:
        """Return the defaults for a minimum interval, with the limits raised that must not be shorter."""
        base = cls()
        min_freshness = max(base.min_freshness, min_interval)
        default_freshness = max(base.default_freshness, min_freshness)
        max_demand_backoff = max(base.max_demand_backoff, min_interval)
        return cls(
            min_interval=min_interval,
            spacing=min(base.spacing, min_interval),
            new_key_timeout=base.new_key_timeout if new_key_timeout is None else new_key_timeout,
            min_freshness=min_freshness,
            default_freshness=default_freshness,
            max_freshness=max(base.max_freshness, default_freshness),
            max_demand_backoff=max_demand_backoff,
            max_backoff=max(base.max_backoff, max_demand_backoff),
            allowed_networks=tuple(allowed_networks),
        )

    def patience(self, *, lacks_kid_alone: bool) -> float:
        """Return how long a request waits. ``lacks_kid_alone``: only the kid is missing, and the URL does not
        fail. Requests for a URL that fails wait for the shorter time."""
        return max(self.find_timeout, self.new_key_timeout) if lacks_kid_alone else self.find_timeout

    def __post_init__(self) -> None:
        ordered = (
            ("min_interval", "min_freshness"),
            ("spacing", "min_interval"),
            ("min_freshness", "default_freshness"),
            ("default_freshness", "max_freshness"),
            ("fetch_timeout", "lease"),
            ("min_interval", "max_demand_backoff"),
            ("max_demand_backoff", "max_backoff"),
        )
        for lesser, greater in ordered:
            if getattr(self, lesser) > getattr(self, greater):
                raise ConfigurationError(f"key sets: {lesser} must not be more than {greater}")
        if self.spacing <= 0 or self.demand_burst < 1:
            raise ConfigurationError("key sets: spacing must be positive and demand_burst at least 1")
