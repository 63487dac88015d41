"""Refresh of one key set for ``keyturn jwks refresh``; the fleet's fetchers make the request, not the
caller."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_verifier.key_sets.redis_repository import KeySetRepository

_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Refresh:
    """Outcome of a refresh. ``record``: after the attempt, None if none ended in time.

    ``retry_after``: seconds until a refresh is allowed again, if it was refused: refreshes share the
    allowance of unknown kids.
    """

    record: KeySetRecord | None
    retry_after: float = 0.0


async def refresh(
    channel: KeySetRepository,
    address: KeySetAddress,
    clock: Clock,
    *,
    timeout: float = 15.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Refresh:
    """Queue the key set first and wait for the attempt. Raises RedisUnavailableError."""
    queued, retry_after, generation = await channel.refresh(address)
    if not queued:
        return Refresh(None, retry_after)
    deadline = clock.elapsed() + timeout
    while clock.elapsed() < deadline:
        [record] = await channel.read([address.id])
        if record is not None and record.generation > generation:
            return Refresh(record)
        await sleep(_POLL_SECONDS)
    return Refresh(None)
