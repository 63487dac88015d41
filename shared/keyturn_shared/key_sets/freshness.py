"""Evaluates whether a record's keys may be used now. Called at each use, because time passes in between."""

from enum import Enum, auto
from typing import Final

from keyturn_shared.key_sets.record import KeySetRecord, Required

LEASE_SECONDS: Final = 10.0
"""Time that a worker may take for a fetch before another takes over."""


class Freshness(Enum):
    """Usability of a key set.

    FRESH: use the keys. OUTAGE: use them; the URL fails and is being retried. LAPSED: fetch first, and use
    them only if no fetch is possible. UNUSABLE: fetch; these keys must not be used.
    """

    FRESH = auto()
    OUTAGE = auto()
    LAPSED = auto()
    UNUSABLE = auto()


def freshness_of(
    record: KeySetRecord, required: Required, now: float, *, lease: float = LEASE_SECONDS
) -> Freshness:
    """Return the freshness at ``now`` (NumericDate) for a client whose key sets must be as new as
    ``required``. ``lease``: seconds that a retry may take."""
    if not record.keys or not required.met_by(record.position) or now >= record.stale_until:
        return Freshness.UNUSABLE
    if now < record.fresh_until:
        return Freshness.FRESH
    if record.failures and now < record.next_poll_at + lease:
        return Freshness.OUTAGE
    return Freshness.LAPSED
