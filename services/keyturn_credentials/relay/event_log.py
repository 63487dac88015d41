"""The relay's port to the database."""

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from keyturn_shared.fleet.partitions import ONE_PARTITION, Partitioning

ProjectionRow = tuple[str, int, bytes]
"""Field, sequence and JSON of a live projection."""


@dataclass(frozen=True, slots=True)
class LogPoint:
    """An event's sequence and id. An id at a sequence identifies one log among those that a database that is
    set back may have had. Sequence 0 is the log's beginning."""

    sequence: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Projections:
    """States of projections, by field: the sequence of the last change and the JSON, None if deleted.
    ``newest``: the log's newest event in the same state of the database, which they may come from."""

    states: Mapping[str, tuple[int, bytes | None]]
    newest: LogPoint


@dataclass(frozen=True, slots=True)
class ProjectionBatch:
    """Some live projections. ``newest`` as in ``Projections``."""

    rows: list[ProjectionRow]
    newest: LogPoint


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event in the log: JSON bytes and the projections it touches."""

    sequence: int
    id: str
    payload: bytes
    touches: tuple[str, ...]

    @property
    def point(self) -> LogPoint:
        return LogPoint(self.sequence, self.id)


@dataclass(frozen=True, slots=True)
class FleetState:
    """The database's record of Redis: the newest epoch opened from it (0 for none yet), the mark of a clean
    shutdown (None while the fleet runs), and the partitions of used assertions."""

    epoch: int = 0
    closed_nonce: str | None = None
    partitioning: Partitioning = ONE_PARTITION


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

    async def projections(self, fields: Collection[str], point: LogPoint) -> Projections | None:
        """Return the named projections, all from one state of the log that has the event at ``point``; None
        if the log does not have it, because it was set back."""
        ...

    def all_projections(self, batch_size: int) -> AsyncGenerator[ProjectionBatch, None]:
        """Yield every live projection, in batches, each a short read of its own."""
        ...

    async def fleet_state(self) -> FleetState: ...

    async def replace_fleet_state(self, seen: FleetState, state: FleetState) -> bool:
        """Replace ``seen`` by ``state``. Return False, and change nothing, if the current state is another
        one."""
        ...

    async def partition_epoch(self, partition: int) -> int:
        """Return the newest epoch of a partition of used assertions, 0 when it never had one."""
        ...

    async def replace_partition_epoch(self, partition: int, seen: int, epoch: int) -> bool:
        """Replace the epoch ``seen``. Return False, and change nothing, if it is another one now."""
        ...

    async def acquire_relay_lease(self, holder: str, seconds: float) -> bool:
        """Take or renew the right to relay. It only saves work: Redis itself refuses a second relay."""
        ...

    async def release_relay_lease(self, holder: str) -> None: ...
