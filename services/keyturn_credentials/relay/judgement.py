"""Deciding what a relay does about the Redis it finds. Pure: what was read goes in, a decision comes out."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn_credentials.relay.event_log import FleetState
from keyturn_shared.fleet.head import Head


class Action(StrEnum):
    """CONTINUE: publish what follows the head. CARRY_OVER: begin a new epoch with the projections that are
    there. OPEN: begin one and write all projections anew."""

    CONTINUE = "continue"
    CARRY_OVER = "carry_over"
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

    An epoch belongs to one Redis process: what the next one holds may be less than was shown to nodes, and
    the database may have been set back as well, so its positions are never used again. The projections are,
    if this Redis holds all that the log has; else they are written anew.
    """
    head = seen.head
    if head is None:
        return Decision(Action.OPEN, "redis_empty")
    if head.position.epoch < seen.state.epoch:
        return Decision(Action.OPEN, "redis_older_than_database")
    if head.position.epoch > seen.state.epoch:
        return Decision(Action.OPEN, "database_older_than_redis")
    if not belongs_together(head, seen.state, seen.head_event_id):
        return Decision(Action.OPEN, "database_restored")
    if not head.complete:
        return Decision(Action.OPEN, "filling_interrupted")
    if head.trusted:
        return Decision(Action.CONTINUE)
    closed_in_good_order = head.closed_nonce is not None and head.closed_nonce == seen.state.closed_nonce
    if closed_in_good_order or head.position.sequence == seen.newest:
        return Decision(Action.CARRY_OVER, "redis_restarted")
    return Decision(Action.OPEN, "redis_behind_after_restart")


def belongs_together(head: Head, state: FleetState, head_event_id: str | None) -> bool:
    """Whether Redis holds a beginning of this database's log, in the newest epoch opened from it.

    ``head_event_id``: of the event that the log has at the head's sequence, None if it has none. It is read
    after the head. A database set back to a backup gives the same numbers to other events.
    """
    return head.position.epoch == state.epoch and head.event_id == (head_event_id or "")


def next_epoch(state: FleetState, newest_in_redis: int, now: float) -> int:
    """An epoch newer than any, also than those that database and Redis forgot when both were set back: it is
    never less than the wall clock's milliseconds."""
    return max(state.epoch + 1, newest_in_redis + 1, int(now * 1000))
