"""The installation that is checked: its settings, and connections that cannot change it by mistake."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final

from redis.asyncio import Redis

from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.engine_factory import Limits
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock
from keyturn_shared.redis_client import ANSWER_SECONDS, connect

_POOL: Final = 3
_ROUND_TRIPS: Final = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """The connections and settings that every check gets. ``seconds``: the time limit of one check."""

    settings: CredentialsSettings
    clock: Clock
    seconds: float
    database: Database
    redis: Redis

    @property
    def store(self) -> Store:
        return Store(self.database, self.clock, self.settings.encryption_ring())


@asynccontextmanager
async def opened(settings: CredentialsSettings, clock: Clock, seconds: float) -> AsyncIterator[Scene]:
    """Open the connections; they connect on first use. Raises ConfigurationError for an unusable URL."""
    within = Limits(wait=seconds / 2, statement=seconds)
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, pool_size=_POOL, limits=within)
        stack.push_async_callback(database.close)
        redis = connect(settings.redis_url, answer_seconds=min(ANSWER_SECONDS, seconds))
        stack.push_async_callback(redis.aclose)
        yield Scene(settings, clock, seconds, database, redis)


async def median_seconds(ask: Callable[[], Awaitable[object]], clock: Clock) -> float:
    """Return the median duration of a few round trips, in seconds. The first one, which connects, does not
    count."""
    await ask()
    durations = []
    for _ in range(_ROUND_TRIPS):
        begun = clock.elapsed()
        await ask()
        durations.append(clock.elapsed() - begun)
    return median(durations)
