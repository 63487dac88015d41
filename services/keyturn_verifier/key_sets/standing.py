"""Whether a record's keys may be used now. Judged at each use, since time passes in between."""

from enum import Enum, auto

from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_verifier.key_sets.policy import KeySetPolicy


class Standing(Enum):
    """FRESH: use the keys. OUTAGE: use them, the URL fails and is tried again and again. LAPSED: fetch first,
    and use them only if that cannot be done. UNUSABLE: fetch, and use nothing else."""

    FRESH = auto()
    OUTAGE = auto()
    LAPSED = auto()
    UNUSABLE = auto()


def standing_of(record: KeySetRecord, required: Required, now: float, policy: KeySetPolicy) -> Standing:
    """The standing at ``now`` (NumericDate) for a client that requires key sets as new as ``required``."""
    if not record.keys or not required.met_by(record.position) or now >= record.stale_until:
        return Standing.UNUSABLE
    if now < record.fresh_until:
        return Standing.FRESH
    if record.failures and now < record.next_poll_at + policy.claim:
        return Standing.OUTAGE
    return Standing.LAPSED
