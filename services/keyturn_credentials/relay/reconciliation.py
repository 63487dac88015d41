"""Decision of a relay about the Redis it finds. Pure: what was read goes in, a decision comes out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keyturn_credentials.relay.event_log import FleetState
from keyturn_shared.fleet.head import Head


class Action(StrEnum):
    """CONTINUE: publish what follows the head. CARRY_OVER: begin a new epoch with the existing projections.
    OPEN: begin one and write all projections anew."""

    CONTINUE = "continue"
    CARRY_OVER = "carry_over"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Redis and database side by side.

    ``head`` was read first; ``newest`` (the log's newest sequence) and ``head_event_id`` (the log's event id
    at the head's sequence, None if there is none) after it. ``has_latest``: the log has the newest event that
    a projection in Redis may come from. ``is_signed``: the data bears the signature of
    the current key. ``loss``: what is gone through eviction or deletion, the head's event or projections that
    were complete, or the epoch that nodes are in; empty if nothing is.
    """

    head: Head | None
    state: FleetState
    newest: int
    head_event_id: str | None
    is_signed: bool
    loss: str = ""
    has_latest: bool = True


REASONS: Final = (
    *("redis_empty", "redis_older_than_database", "database_older_than_redis", "database_restored"),
    *("signing_key_changed", "filling_interrupted", "event_lost", "projections_lost", "nodes_ahead"),
    *("redis_restarted", "redis_behind_after_restart"),
)
"""Every reason for a new epoch."""


def decide(seen: Comparison) -> Decision:
    """Decide what to do about this Redis.

    An epoch belongs to one Redis process: the next process may hold less than nodes have seen, and the
    database may have been restored as well, so positions of an earlier epoch are never reused. The
    projections are kept if this Redis holds everything in the log; otherwise they are written anew.
    """
    head = seen.head
    if head is None:
        return Decision(Action.OPEN, "redis_empty")
    if head.position.epoch < seen.state.epoch:
        return Decision(Action.OPEN, "redis_older_than_database")
    if head.position.epoch > seen.state.epoch:
        return Decision(Action.OPEN, "database_older_than_redis")
    if not belongs_together(head, seen.state, seen.head_event_id) or not seen.has_latest:
        return Decision(Action.OPEN, "database_restored")
    if not seen.is_signed:
        return Decision(Action.OPEN, "signing_key_changed")
    if not head.complete:
        return Decision(Action.OPEN, "filling_interrupted")
    if seen.loss:
        return Decision(Action.OPEN, seen.loss)
    if head.trusted:
        return Decision(Action.CONTINUE)
    closed_in_good_order = head.closed_nonce is not None and head.closed_nonce == seen.state.closed_nonce
    if closed_in_good_order or head.position.sequence == seen.newest:
        return Decision(Action.CARRY_OVER, "redis_restarted")
    return Decision(Action.OPEN, "redis_behind_after_restart")


def belongs_together(head: Head, state: FleetState, head_event_id: str | None) -> bool:
    """Return whether Redis holds the beginning of this database's log, in the newest epoch opened from it.

    ``head_event_id``: the log's event at the head's sequence, None if there is none, read after the head. A
    database restored from a backup gives the same numbers to other events.
    """
    return head.position.epoch == state.epoch and head.event_id == (head_event_id or "")


def next_epoch(state: FleetState, newest_in_redis: int, now: float) -> int:
    """Return an epoch newer than any that database, Redis or nodes know, and at least the wall clock's
    milliseconds: newer even than those that all of them have lost, unless a clock was ahead."""
    return max(state.epoch + 1, newest_in_redis + 1, int(now * 1000))
