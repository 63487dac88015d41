"""Records which credentials are in use, for operators about to revoke one."""

from collections.abc import Mapping
from typing import Final, Protocol

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import Use
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

RESOLUTION_SECONDS: Final = 60.0
WRITE_SECONDS: Final = 2.0
_RETRY: Final = Backoff(first=WRITE_SECONDS, longest=WRITE_SECONDS)
_BATCH: Final = 500
_CAPACITY: Final = 100_000


class UseRegistry(Protocol):
    """Stores times of use. Raises RedisUnavailableError."""

    async def write(self, uses: Mapping[Use, float]) -> None: ...


class LastUsedRecorder:
    """Records each credential at most once a minute, together with others; failed writes are retried. At most
    ``capacity`` credentials are remembered; beyond that, some are written more often."""

    def __init__(
        self,
        registry: UseRegistry,
        clock: Clock,
        *,
        capacity: int = _CAPACITY,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._capacity = capacity
        # Keyed by hash, with equal times as one object: a node has as many entries as clients in use. Of two
        # credentials with one hash, the second is written a minute late.
        self._noted: dict[int, int] = {}
        self._second = 0
        self._unwritten: dict[Use, float] = {}
        self.task: Final = SupervisedTask(
            "credential-uses", self.write, backoff=_RETRY, elapsed=clock.elapsed
        )

    def note(self, client_uuid: str, name: str) -> None:
        """Note that a credential was accepted now."""
        use = (client_uuid, name)
        known = hash(use)
        now = self._clock.now()
        noted = self._noted.get(known)
        if noted is not None and 0 <= now - noted < RESOLUTION_SECONDS:  # the clock may have been set back
            return
        if len(self._noted) >= self._capacity:
            self._noted.clear()
        if int(now) != self._second:
            self._second = int(now)
        self._noted[known] = self._second
        if len(self._unwritten) < self._capacity:
            self._unwritten[use] = now

    async def write(self) -> float:
        """Write everything noted so far. Return the seconds until the next write. Raises
        RedisUnavailableError; what was not written stays noted."""
        while self._unwritten:
            batch = dict(list(self._unwritten.items())[:_BATCH])
            await self._registry.write(batch)
            for use, at in batch.items():
                if self._unwritten.get(use) == at:
                    del self._unwritten[use]
        return WRITE_SECONDS
