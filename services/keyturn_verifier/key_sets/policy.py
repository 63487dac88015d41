"""How key sets are fetched and how long they are used. Made from the settings by the composition root."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from keyturn_shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySetPolicy:
    """All times in seconds.

    Freshness: a client's ``Cache-Control`` or ``Expires`` counts within ``min_freshness`` and
    ``max_freshness``; so a withdrawn key is accepted for at most ``max_freshness``, and only while its URL
    fails for ``outage`` more.

    Unknown kids: ``demand_burst`` fetches at once and one more every ``min_interval`` per URL, for the whole
    fleet; a fetch that found other keys is given back. ``spacing``: the least time between any two attempts
    on demand. A request waits at most ``find_timeout``; at most ``waiters_per_url`` and ``waiters`` wait on
    one node, as many again for key sets that never were fetched or fail, and it refuses the others at once.

    Failures: the n-th retry follows ``min_interval`` * 2^(n-1) after the attempt, at most ``max_backoff``, or
    ``max_demand_backoff`` when a client needs the keys.

    Polling: key sets used within ``idle`` are polled. ``claim``: how long a worker may take before another
    takes over. ``concurrency``, ``retry_concurrency``, ``demand_concurrency``: fetches of one process of key
    sets in good order, of failing ones, and for requests that wait; ``host_concurrency``: polls of one host
    by the whole fleet (twice that with demands).
    """

    min_interval: float = 10.0
    demand_burst: int = 2
    spacing: float = 0.25
    find_timeout: float = 5.0
    waiters_per_url: int = 64
    waiters: int = 1024

    default_freshness: float = 300.0
    min_freshness: float = 60.0
    max_freshness: float = 900.0
    outage: float = 3600.0

    max_backoff: float = 300.0
    max_demand_backoff: float = 60.0

    idle: float = 3600.0
    claim: float = 10.0
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
    def for_interval(cls, min_interval: float, allowed_networks: Iterable[str] = ()) -> Self:
        """The defaults around a minimum interval, which stretches what must not be shorter."""
        base = cls()
        min_freshness = max(base.min_freshness, min_interval)
        default_freshness = max(base.default_freshness, min_freshness)
        max_demand_backoff = max(base.max_demand_backoff, min_interval)
        return cls(
            min_interval=min_interval,
            spacing=min(base.spacing, min_interval),
            min_freshness=min_freshness,
            default_freshness=default_freshness,
            max_freshness=max(base.max_freshness, default_freshness),
            max_demand_backoff=max_demand_backoff,
            max_backoff=max(base.max_backoff, max_demand_backoff),
            allowed_networks=tuple(allowed_networks),
        )

    def __post_init__(self) -> None:
        ordered = (
            ("min_interval", "min_freshness"),
            ("spacing", "min_interval"),
            ("min_freshness", "default_freshness"),
            ("default_freshness", "max_freshness"),
            ("fetch_timeout", "claim"),
            ("min_interval", "max_demand_backoff"),
            ("max_demand_backoff", "max_backoff"),
        )
        for lesser, greater in ordered:
            if getattr(self, lesser) > getattr(self, greater):
                raise ConfigurationError(f"key sets: {lesser} must not be more than {greater}")
        if self.spacing <= 0 or self.demand_burst < 1:
            raise ConfigurationError("key sets: spacing must be positive and demand_burst at least 1")
