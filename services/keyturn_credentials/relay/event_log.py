"""The relay's port to the database."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import Protocol

ProjectionRow = tuple[str, int, bytes]
"""Field, sequence and JSON of a live projection."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event in the log: JSON bytes and the projections it touches."""

    sequence: int
    id: str
    payload: bytes
    touches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetState:
    """The database's record of Redis: the newest epoch opened from it (0 for none yet), and the mark of a
    clean shutdown (None while the fleet runs)."""

    epoch: int = 0
    closed_nonce: str | None = None


class EventLog(Protocol):
    """Committed events and projections. Every method has the store's own time limit."""

    async def identity(self) -> str:
        """Return the log's identity: a UUID drawn once for this database, which a backup of it keeps."""
        ...

    async def head(self) -> int:
        """Return the newest committed sequence, 0 when there is none."""
        ...

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        """Return events with ``sequence >= first`` in ascending order, at most ``limit``."""
        ...

    async def projections(
        self, fields: Collection[str], event: LoggedEvent
    ) -> dict[str, tuple[int, bytes | None]] | None:
        """Return sequence and JSON of the named projections (None for a deleted one), all from one state of
        the log that has ``event``; None if the log does not have it, because it was set back."""
        ...

    def all_projections(self, batch_size: int) -> AsyncGenerator[list[ProjectionRow], None]:
        """Yield every live projection, in batches, each a short read of its own."""
        ...

    async def fleet_state(self) -> FleetState: ...

    async def replace_fleet_state(self, seen: FleetState, state: FleetState) -> bool:
        """Replace ``seen`` by ``state``. Return False, and change nothing, if the current state is another
        one."""
        ...

    async def acquire_relay_lease(self, holder: str, seconds: float) -> bool:
        """Take or renew the right to relay. It only saves work: Redis itself refuses a second relay."""
        ...

    async def release_relay_lease(self, holder: str) -> None: ...
