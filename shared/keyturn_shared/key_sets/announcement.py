"""The announcement to all nodes that a key set was fetched."""

from dataclasses import dataclass
from typing import Final

ANNOUNCEMENTS_KEPT: Final = 10_000
"""Entries kept in the stream. A node that missed some finds newer keys when its own are no longer fresh."""


@dataclass(frozen=True, slots=True)
class KeySetFetched:
    """An attempt to fetch a key set has ended, and the record has other keys or nodes were waiting for it.

    ``id``: of the address. ``generation``: of the record now in Redis. The announcement contains no key:
    nodes that cache the key set read the record.
    """

    id: str
    generation: int
    version: int = 1
