"""Deciding what a relay does about the Redis it finds. Pure: what was read goes in, a decision comes out."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn_credentials.relay.event_log import FleetState
from keyturn_shared.fleet.head import Head


class Action(StrEnum):
    """CONTINUE: publish what follows the head. VOUCH: first say that this Redis process may be trusted.
    OPEN: begin a new epoch."""

    CONTINUE = "continue"
    VOUCH = "vouch"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Redis and database side by side. ``head`` was read first; ``newest`` (the log's newest sequence) and
    ``head_event_id`` (the id the log has at the head's sequence, None if there is no such event) after it."""

    head: Head | None
    state: FleetState
    newest: int
    head_event_id: str | None


def decide(seen: Comparison) -> Decision:
    """What to do about this Redis.

    A Redis that cannot be shown to hold exactly a prefix of the log, all that was ever published included, is
    filled anew under a new epoch. Since only this order of reading is used, a head equal to ``newest`` proves
    that nothing newer had been published when the head was read.
    """
    head = seen.head
    if head is None:
        return Decision(Action.OPEN, "redis_empty")
    if head.position.epoch < seen.state.epoch:
        return Decision(Action.OPEN, "redis_older_than_database")
    if head.position.epoch > seen.state.epoch:
        return Decision(Action.OPEN, "database_older_than_redis")
    if head.position.sequence > seen.newest or head.event_id != (seen.head_event_id or ""):
        return Decision(Action.OPEN, "database_restored")
    if not head.complete:
        return Decision(Action.OPEN, "filling_interrupted")
    if head.trusted:
        return Decision(Action.CONTINUE)
    closed_in_good_order = head.closed_nonce is not None and head.closed_nonce == seen.state.closed_nonce
    if closed_in_good_order or head.position.sequence == seen.newest:
        return Decision(Action.VOUCH)
    return Decision(Action.OPEN, "redis_behind_after_restart")


def next_epoch(state: FleetState, newest_in_redis: int, now: float) -> int:
    """An epoch newer than any: the wall clock keeps it so when database and Redis were both set back."""
    return max(state.epoch, newest_in_redis, int(now) - 1) + 1
