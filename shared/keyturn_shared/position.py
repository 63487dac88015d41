"""A reader's position in the event log."""

from typing import NamedTuple, Self


class Position(NamedTuple):
    """A place in the event log: the epoch of Redis' filling and the event's sequence.

    It is also the id of the stream entry, ``<epoch>-<sequence>``: Redis compares ids as two 64-bit numbers in
    that order, so Redis itself refuses an event of an older epoch, and a repeated one.
    """

    epoch: int
    sequence: int

    @property
    def stream_id(self) -> str:
        return f"{self.epoch}-{self.sequence}"

    @classmethod
    def parse(cls, stream_id: str | bytes) -> Self:
        """Parse a stream id. Raises ValueError unless it is ``<number>-<number>``."""
        text = stream_id.decode("ascii") if isinstance(stream_id, bytes) else stream_id
        epoch, _, sequence = text.partition("-")
        return cls(int(epoch), int(sequence))

    def follows(self, earlier: "Position") -> bool:
        """Return whether this is the very next event after ``earlier`` in the same epoch."""
        return self.epoch == earlier.epoch and self.sequence == earlier.sequence + 1


BEGINNING = Position(0, 0)
