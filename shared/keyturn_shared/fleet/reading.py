"""Reading projections as a node may trust them."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.position import Position


class Loaded(StrEnum):
    """How a projection was found. The last four mean: nothing can be said now."""

    FOUND = "found"
    ABSENT = "absent"
    INCOMPLETE = "incomplete"
    OTHER_EPOCH = "other_epoch"
    UNTRUSTED = "untrusted"
    BEHIND = "behind"

    @property
    def conclusive(self) -> bool:
        return self in (Loaded.FOUND, Loaded.ABSENT)


@dataclass(frozen=True, slots=True)
class ProjectionRead:
    """Outcome, and for FOUND the value ``<sequence>:<json>``, as of the head's ``sequence`` then."""

    outcome: Loaded
    sequence: int = 0
    value: bytes = b""


class ProjectionReader:
    """Reads single projections. Raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._layout = layout or Layout()

    async def load(self, field: str, applied: Position) -> ProjectionRead:
        """One projection, in the node's epoch and at least as new as what the node has applied."""
        keys = [self._layout.head, self._layout.projections(applied.epoch)]
        reply = await self._scripts.run("load", keys, [applied.epoch, applied.sequence, field])
        outcome = Loaded(as_text(reply[0]))
        if outcome is Loaded.FOUND:
            return ProjectionRead(outcome, int(reply[1]), bytes(reply[2]))
        if outcome is Loaded.ABSENT:
            return ProjectionRead(outcome, int(reply[1]))
        return ProjectionRead(outcome)
