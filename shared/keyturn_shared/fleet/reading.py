"""Reads of projections that a node may trust."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.position import Position


class Loaded(StrEnum):
    """Outcome of reading a projection. The last five mean that there is no certain answer now. LOST: all
    projections were there, and no longer are."""

    FOUND = "found"
    ABSENT = "absent"
    INCOMPLETE = "incomplete"
    LOST = "lost"
    OTHER_EPOCH = "other_epoch"
    UNTRUSTED = "untrusted"
    BEHIND = "behind"

    @property
    def conclusive(self) -> bool:
        return self in (Loaded.FOUND, Loaded.ABSENT)


@dataclass(frozen=True, slots=True)
class ProjectionRead:
    """Outcome, and for FOUND the value ``<sequence>:<json>``. ``sequence``: of the head at that time."""

    outcome: Loaded
    sequence: int = 0
    value: bytes = b""


class ProjectionReader:
    """Reads single projections. Raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._layout = layout or Layout()

    async def load(self, field: str, applied: Position) -> ProjectionRead:
        """Read one projection, in the node's epoch and at least as new as what the node has applied."""
        keys = [self._layout.head, self._layout.projections(applied.epoch)]
        reply = await self._scripts.run("load", keys, [applied.epoch, applied.sequence, field])
        outcome = Loaded(as_text(reply[0]))
        if outcome is Loaded.FOUND:
            return ProjectionRead(outcome, int(reply[1]), bytes(reply[2]))
        if outcome is Loaded.ABSENT:
            return ProjectionRead(outcome, int(reply[1]))
        return ProjectionRead(outcome)
