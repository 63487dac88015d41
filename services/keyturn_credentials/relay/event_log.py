"""The relay's port to the database."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import Protocol

ProjectionRow = tuple[str, int, bytes]
"""Field, sequence and JSON of a living projection."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as it stands in the log: JSON bytes and the projections it touches."""

    sequence: int
    id: str
    payload: bytes
    touches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetState:
    """What the database remembers of Redis: the newest epoch opened from it (0 for none yet), and the mark of
    a fleet closed in good order (None while it is open)."""

    epoch: int = 0
    closed_nonce: str | None = None


class EventLog(Protocol):
    """Committed events and projections. Every method has the store's own time limit."""

    async def head(self) -> int:
        """The newest committed sequence, 0 when there is none."""
        ...

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        """Events with ``sequence >= first`` in ascending order, at most ``limit``."""
        ...

    async def projections(self, fields: Collection[str]) -> dict[str, tuple[int, bytes | None]]:
        """Sequence and JSON of the named projections as they are now; None for one that was deleted."""
        ...

    def all_projections(self, batch_size: int) -> AsyncGenerator[list[ProjectionRow], None]:
        """Every living projection, in batches, each a short read of its own."""
        ...

    async def fleet_state(self) -> FleetState: ...

    async def replace_fleet_state(self, seen: FleetState, state: FleetState) -> bool:
        """Remember ``state`` in place of ``seen``. False, and nothing changed, when it is another by now."""
        ...

    async def acquire_relay_lease(self, holder: str, seconds: float) -> bool:
        """Take or renew the right to relay. It only spares work: Redis itself refuses a second relay."""
        ...

    async def release_relay_lease(self, holder: str) -> None: ...
