"""Partitions of the record of used assertions, each in a cluster slot of its own."""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

MAX_PARTITIONS: Final = 64
_MAX_COUNTS: Final = 8
LOG_PARTITION: Final = 0
"""The partition of the event log, and of used assertions unless they have partitions of their own."""


PARTITIONING: Final = "partitioning"
"""Detail of a node: the partitioning by which it marks assertions."""
KEPT: Final = "partitioning_kept"
"""Detail of a node: one from an earlier epoch, of which the relay of this one may not know."""
REMEMBERS: Final = "remembers_seconds"
"""Detail of a node: the longest time for which it has an assertion remembered."""


@dataclass(frozen=True, slots=True)
class Partitioning:
    """The partitions in which an assertion is marked as used.

    ``counts``: numbers of partitions over which assertions are spread, in ascending order. While the number
    changes there are two or more, and an assertion is marked in one partition of each, so that nodes with
    different knowledge have one in common. A single partition is that of the event log.
    """

    counts: tuple[int, ...] = (1,)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` returned. Raises ValueError."""
        counts = tuple(int(part) for part in text.split(","))
        if len(counts) > _MAX_COUNTS or counts != tuple(sorted(set(counts))):
            raise ValueError("there must be a few numbers of partitions, in ascending order")
        if not all(1 <= count <= MAX_PARTITIONS for count in counts):
            raise ValueError(f"a number of partitions is not from 1 to {MAX_PARTITIONS}")
        return cls(counts)

    def __str__(self) -> str:
        return ",".join(map(str, self.counts))

    @property
    def all(self) -> frozenset[int]:
        """Every partition in use."""
        return frozenset(
            number for count in self.counts for number in (range(1, count + 1) if count > 1 else (0,))
        )

    def of(self, jti: str) -> tuple[int, ...]:
        """Return the partitions of an assertion, without repeats."""
        if self.counts == (1,):
            return (LOG_PARTITION,)
        drawn = int.from_bytes(hashlib.blake2b(_octets(jti), digest_size=8, person=b"partition").digest())
        return tuple(dict.fromkeys(1 + drawn % count if count > 1 else 0 for count in self.counts))

    def joined_by(self, counts: tuple[int, ...]) -> Self:
        """Return a partitioning with these numbers as well."""
        return type(self)(tuple(sorted({*self.counts, *counts})))


ONE_PARTITION: Final = Partitioning()


def _octets(jti: str) -> bytes:
    return jti.encode("utf-8", "surrogatepass")
