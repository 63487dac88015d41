"""Having a key set fetched now, for ``keyturn jwks refresh``: by the fleet's fetchers, not by the caller."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_verifier.key_sets.channel import KeySetChannel

_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Refresh:
    """What came of it. ``record``: after the attempt, None if none has ended in time. ``retry_after``:
    seconds until it is allowed again, when it was not: refreshes share the allowance of unknown kids."""

    record: KeySetRecord | None
    retry_after: float = 0.0


async def refresh(
    channel: KeySetChannel,
    address: KeySetAddress,
    clock: Clock,
    *,
    timeout: float = 15.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Refresh:
    """Queue the key set in front and wait for the attempt. Raises RedisUnavailableError."""
    queued, retry_after, generation = await channel.refresh(address)
    if not queued:
        return Refresh(None, retry_after)
    deadline = clock.elapsed() + timeout
    while clock.elapsed() < deadline:
        [record] = await channel.read([address.id])
        if record is not None and record.generation > generation:
            return Refresh(record)
        await sleep(_LOOK_SECONDS)
    return Refresh(None)
