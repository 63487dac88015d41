"""Evaluates whether a record's keys may be used now. Called at each use, because time passes in between."""

from enum import Enum, auto

from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_verifier.key_sets.policy import KeySetPolicy


class Freshness(Enum):
    """Usability of a key set.

    FRESH: use the keys. OUTAGE: use them; the URL fails and is being retried. LAPSED: fetch first, and use
    them only if no fetch is possible. UNUSABLE: fetch; these keys must not be used.
    """

    FRESH = auto()
    OUTAGE = auto()
    LAPSED = auto()
    UNUSABLE = auto()


def freshness_of(record: KeySetRecord, required: Required, now: float, policy: KeySetPolicy) -> Freshness:
    """Return the freshness at ``now`` (NumericDate) for a client whose key sets must be as new as
    ``required``."""
    if not record.keys or not required.met_by(record.position) or now >= record.stale_until:
        return Freshness.UNUSABLE
    if now < record.fresh_until:
        return Freshness.FRESH
    if record.failures and now < record.next_poll_at + policy.lease:
        return Freshness.OUTAGE
    return Freshness.LAPSED
