"""The state machine of a rotation. Pure: facts and time are arguments."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from keyturn_credentials.domain.rotation import Alert, Reason, Rotation, State, WaitsFor
from keyturn_credentials.domain.rotation_rules import MIN_ALERT_SECONDS, RotationRules, margin_of

_BOTH_ACCEPTED: Final = frozenset({State.PREPARED, State.DELIVERED, State.IN_USE})


class Act(StrEnum):
    """Effect of a step on the client. PREPARE: a successor beside the current secret. EXTEND: the current
    secret does not expire while its rotation waits. START_OVERLAP: the successor gets its expiry, the former
    secret its end. HOLD: neither expires while a paused rotation waits in its overlap. RETIRE: the former
    secret ends. RESTORE: the successor ends. DELIVER: the successor is not shown any more if the realm stores
    digests only."""

    NOTHING = "nothing"
    PREPARE = "prepare"
    EXTEND = "extend"
    START_OVERLAP = "start_overlap"
    HOLD = "hold"
    RETIRE = "retire"
    RESTORE = "restore"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Knowledge about the client on which a step is decided.

    ``is_successor_current``: the client's current secret is the one that this rotation made.
    ``current_expires_at``: of the current secret. ``applied``: every node has applied the rotation's newest
    event or holds no lease. ``successor_used``: the client has authenticated with it. ``has_former``: the
    former secret is still stored, and accepted. ``has_turn``: the realm's limit of rotations under way is not
    reached.
    """

    is_successor_current: bool = False
    current_expires_at: float | None = None
    applied: bool = False
    successor_used: bool = False
    has_former: bool = True
    has_turn: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """The rotation after a step, and what the step does to the client."""

    after: Rotation
    act: Act = Act.NOTHING


def next_step(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> Step | None:
    """Return the step that is due; None while the rotation waits.

    The former secret ends only after the successor was used, unless the rules say ``retire_unused`` or the
    former one is compromised.
    """
    state = rotation.state
    if state in _BOTH_ACCEPTED and not facts.is_successor_current:
        return Step(rotation.moved(State.SUPERSEDED, now))
    if state is State.RETIRED:  # cannot be paused: it is a revocation
        return Step(rotation.moved(State.DONE, now)) if facts.applied else None
    if rotation.paused and not _ends_in_any_case(rotation, rules, facts):
        return _while_paused(rotation, rules, facts, now)
    match state:
        case State.PLANNED:
            return _begin(rotation, rules, facts, now)
        case State.PREPARED | State.DELIVERED:
            return _deliver(rotation, rules, facts, now)
        case State.IN_USE if rotation.retire_at is None:  # it was held, and now it goes on
            return Step(replace(rotation, retire_at=now + rotation.overlap), Act.START_OVERLAP)
        case State.IN_USE if rotation.retire_at is not None and now >= rotation.retire_at:
            return Step(rotation.moved(State.RETIRED, now), Act.RETIRE)
        case _:
            return None


def pause(rotation: Rotation, rules: RotationRules) -> Step | None:
    """Return the step that holds the rotation up; None if nothing can: the former secret has ended, or the
    rules end it on time."""
    if rotation.state is State.RETIRED or (rules.retire_unused and rotation.state is not State.PLANNED):
        return None
    return Step(replace(rotation, paused=True))


def waits_for(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> WaitsFor | None:
    """Return the condition of the next move; None if there is none, or it is met."""
    state = rotation.state
    if not state.is_open:
        return None
    if state is State.RETIRED:
        return WaitsFor.NODES
    if rotation.paused and not _ends_in_any_case(rotation, rules, facts):
        return WaitsFor.PERSON
    if state is State.PLANNED:
        return _reason_not_to_begin(rotation, rules, facts, now)
    if state is State.PREPARED:
        return WaitsFor.DELIVERY if facts.applied else WaitsFor.NODES
    return WaitsFor.USE if state is State.DELIVERED else WaitsFor.OVERLAP


def cancel(rotation: Rotation, facts: Facts, now: float) -> Step | None:
    """Return the step that gives the rotation up; None if it is too late: the former secret has ended, or
    the successor was replaced."""
    if rotation.state is State.PLANNED:
        return Step(rotation.moved(State.CANCELLED, now), Act.RESTORE)
    if rotation.state not in _BOTH_ACCEPTED or not (facts.is_successor_current and facts.has_former):
        return None
    return Step(rotation.moved(State.ROLLED_BACK, now), Act.RESTORE)


def _ends_in_any_case(rotation: Rotation, rules: RotationRules, facts: Facts) -> bool:
    """Return whether no pause keeps the former secret: it has ended, or the rules end it on time."""
    if rotation.state is State.PLANNED:
        return False
    return rules.retire_unused or not facts.has_former


def _while_paused(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> Step | None:
    if rotation.state is State.PLANNED:
        return _extend(rotation, rules, facts, now)
    if rotation.state is State.IN_USE and rotation.retire_at is not None:
        return Step(replace(rotation, retire_at=None), Act.HOLD)
    return None


def _begin(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> Step | None:
    if _reason_not_to_begin(rotation, rules, facts, now) is not None:
        return _extend(rotation, rules, facts, now)
    if rotation.reason is Reason.COMPROMISED:
        return Step(rotation.moved(State.RETIRED, now), Act.PREPARE)
    overlap, ends = rotation.overlap, facts.current_expires_at
    prepared = replace(
        rotation,
        former_expires_at=rotation.former_expires_at if ends is None else ends,
        deadline=now + max(overlap, MIN_ALERT_SECONDS),
        retire_at=now + overlap if rules.retire_unused else None,
    )
    return Step(prepared.moved(State.PREPARED, now), Act.PREPARE)


def _reason_not_to_begin(
    rotation: Rotation, rules: RotationRules, facts: Facts, now: float
) -> WaitsFor | None:
    if rotation.reason is not Reason.POLICY:
        return None
    if now < rotation.start_at:
        return WaitsFor.START
    if rules.window is not None and not rules.window.is_open(now):
        return WaitsFor.WINDOW
    return None if facts.has_turn else WaitsFor.TURN


def _extend(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> Step | None:
    """Keep the client's only secret alive while its rotation cannot begin, from when little of its lifetime
    is left."""
    ends = facts.current_expires_at
    if rules.retire_unused or rules.policy is None or ends is None or not now < ends:
        return None
    if ends > now + margin_of(rules.policy):
        return None
    return Step(replace(rotation, former_expires_at=ends), Act.EXTEND)


def _deliver(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> Step | None:
    if rotation.retire_at is not None and now >= rotation.retire_at:
        return Step(rotation.moved(State.RETIRED, now), Act.RETIRE)
    if facts.successor_used or not facts.has_former:
        ends = min(now + rotation.overlap, rotation.retire_at or math.inf)
        used = replace(rotation, alert=None, retire_at=ends)
        return Step(used.moved(State.IN_USE, now), Act.START_OVERLAP)
    if rotation.state is State.PREPARED and rotation.delivered and facts.applied:
        return Step(rotation.moved(State.DELIVERED, now), Act.DELIVER)
    if rotation.alert is None and rotation.deadline is not None and now >= rotation.deadline:
        return Step(replace(rotation, alert=Alert.UNUSED))
    return None
