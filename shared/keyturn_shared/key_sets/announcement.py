"""What the fleet tells its nodes when a key set was fetched."""

from dataclasses import dataclass
from typing import Final

ANNOUNCEMENTS_KEPT: Final = 10_000
"""Entries kept in the stream. A node that missed some still finds newer keys once its own are not fresh."""


@dataclass(frozen=True, slots=True)
class KeySetFetched:
    """An attempt to fetch a key set has ended, and somebody may want to look at the record: it has other keys
    than before, or nodes were waiting for it.

    ``id``: of the address. ``generation``: of the record now in Redis. No key is in the announcement: nodes
    that hold the key set read the record.
    """

    id: str
    generation: int
    version: int = 1
