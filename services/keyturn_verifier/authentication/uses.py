"""Notes which credentials are in use, for people who are about to revoke one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.uses import Use

RESOLUTION_SECONDS: Final = 60.0
WRITE_SECONDS: Final = 2.0
_BATCH: Final = 500
_CAPACITY: Final = 100_000

_log = structlog.get_logger(__name__)


class UseRegistry(Protocol):
    """Raises RedisUnavailableError."""

    async def write(self, uses: Mapping[Use, float]) -> None: ...


class CredentialUses:
    """Each credential is written down at most once a minute, with others of the same moment; what Redis does
    not take is tried again. At most ``capacity`` are remembered: then some are written more often."""

    def __init__(
        self,
        registry: UseRegistry,
        clock: Clock,
        *,
        capacity: int = _CAPACITY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._capacity = capacity
        self._sleep = sleep
        # By hash, and equal times as one object: a node notes as many as it has clients in use. Of two
        # credentials with one hash the second is written down a minute late.
        self._noted: dict[int, int] = {}
        self._second = 0
        self._unwritten: dict[Use, float] = {}

    def note(self, client_uuid: str, name: str) -> None:
        """A credential was accepted now."""
        use = (client_uuid, name)
        known = hash(use)
        now = self._clock.now()
        noted = self._noted.get(known)
        if noted is not None and 0 <= now - noted < RESOLUTION_SECONDS:  # the clock may have been put back
            return
        if len(self._noted) >= self._capacity:
            self._noted.clear()
        if int(now) != self._second:
            self._second = int(now)
        self._noted[known] = self._second
        if len(self._unwritten) < self._capacity:
            self._unwritten[use] = now

    async def run(self) -> None:
        """Write down what was noted, for ever."""
        while True:
            await self._sleep(WRITE_SECONDS)
            try:
                await self.write()
            except RedisUnavailableError as error:
                _log.info("credential_uses_not_written", error=error.detail, waiting=len(self._unwritten))

    async def write(self) -> None:
        """Write down all that was noted until now. Raises RedisUnavailableError; the rest stays noted."""
        while self._unwritten:
            batch = dict(list(self._unwritten.items())[:_BATCH])
            await self._registry.write(batch)
            for use, at in batch.items():
                if self._unwritten.get(use) == at:
                    del self._unwritten[use]
