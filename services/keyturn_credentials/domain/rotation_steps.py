"""The state machine of a rotation of a secret. Pure: facts and time are arguments."""

import math
from dataclasses import dataclass, replace

from keyturn_credentials.domain.rotation import Alert, Reason, Rotation, State
from keyturn_credentials.domain.rotation_failure import FailureCode
from keyturn_credentials.domain.rotation_frame import (
    BOTH_ACCEPTED,
    Act,
    Facts,
    Step,
    fail,
    may_fail,
    reason_not_to_begin,
    while_disabled,
)
from keyturn_credentials.domain.rotation_rules import MIN_ALERT_SECONDS, RotationRules, margin_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFacts(Facts):
    """Knowledge about the client on which a step is decided.

    ``is_successor_current``: the client's current secret is the one that this rotation made, or extended.
    ``needs_secret``: the client authenticates with a secret. ``current_expires_at``: of the current secret.
    ``successor_used``: the client has authenticated with it. ``has_former``: the former secret is still
    stored, and accepted.
    """

    is_successor_current: bool = False
    needs_secret: bool = True
    current_expires_at: float | None = None
    successor_used: bool = False
    has_former: bool = True


def next_step(rotation: Rotation, rules: RotationRules, facts: SecretFacts, now: float) -> Step | None:
    """Return the step that is due; None while the rotation waits.

    The former secret ends only after the successor was used, unless the rules say ``retire_unused`` or the
    former one is compromised.
    """
    state = rotation.state
    if not state.is_open:
        return None
    if state is State.RETIRED:  # cannot be paused: it is a revocation
        return _finish(rotation, rules, facts, now)
    if rotation.reason is Reason.POLICY and not facts.needs_secret and may_fail(rotation):
        failed = fail(rotation, FailureCode.CREDENTIAL_NOT_USED, now)
        is_there = facts.is_successor_current or state is State.PLANNED
        return failed if is_there else replace(failed, act=Act.NOTHING)
    blocked = while_disabled(rotation, rules, facts, now)
    if blocked is not None:
        return blocked
    if state is State.PLANNED:
        return _begin(rotation, rules, facts, now)
    if not facts.is_successor_current:
        return Step(rotation.moved(State.SUPERSEDED, now))
    if not facts.has_former:
        return _retire(rotation, now)
    if rotation.paused and not rules.retire_unused:
        return _hold(rotation)
    if rotation.retire_at is None and (rules.retire_unused or state is State.IN_USE):
        return Step(replace(rotation, retire_at=now + rules.overlap_of(rotation)), Act.START_OVERLAP)
    if state is not State.IN_USE:
        return _deliver(rotation, rules, facts, now)
    return _retire(rotation, now) if rotation.retire_at is not None and now >= rotation.retire_at else None


def confirm(rotation: Rotation, facts: SecretFacts) -> Step | None:
    """Return the step that notes that the client has the successor; None if there is none to have, or the
    rotation does not wait for it any more."""
    if rotation.state is State.PLANNED or (rotation.state is State.RETIRED and not facts.is_undelivered):
        return None
    return Step(replace(rotation, delivered=True))


def cancel(rotation: Rotation, facts: SecretFacts, now: float) -> Step | None:
    """Return the step that gives the rotation up; None if it is too late: the former secret has ended, or
    the successor was replaced."""
    if rotation.state is State.PLANNED:
        return Step(rotation.moved(State.CANCELLED, now), Act.RESTORE)
    if rotation.state not in BOTH_ACCEPTED or not (facts.is_successor_current and facts.has_former):
        return None
    return Step(rotation.moved(State.ROLLED_BACK, now), Act.RESTORE)


def _retire(rotation: Rotation, now: float) -> Step:
    return Step(replace(rotation, alert=None).moved(State.RETIRED, now), Act.RETIRE)


def _finish(rotation: Rotation, rules: RotationRules, facts: SecretFacts, now: float) -> Step | None:
    if not facts.applied or (facts.is_undelivered and not facts.successor_used):
        return _extend(rotation, rules, facts, now)
    return Step(rotation.moved(State.DONE, now), Act.FINISH if facts.is_successor_current else Act.NOTHING)


def _hold(rotation: Rotation) -> Step | None:
    """Take the ends away that both secrets have, if they have any."""
    return None if rotation.retire_at is None else Step(replace(rotation, retire_at=None), Act.HOLD)


def _begin(rotation: Rotation, rules: RotationRules, facts: SecretFacts, now: float) -> Step | None:
    if not _is_asked_for(rotation, rules, facts, now):
        act = Act.RESTORE if facts.is_successor_current else Act.NOTHING
        return Step(rotation.moved(State.SUPERSEDED, now), act)
    held_up = reason_not_to_begin(rotation, rules, now, has_turn=facts.has_turn) is not None
    if rotation.paused or held_up:
        return _extend(rotation, rules, facts, now)
    has_ended = facts.current_expires_at is not None and now >= facts.current_expires_at
    if rotation.reason is Reason.COMPROMISED or has_ended:
        return Step(replace(rotation, delivered=False).moved(State.RETIRED, now), Act.PREPARE)
    overlap, ends = rules.shortened(rotation.overlap), facts.current_expires_at
    prepared = replace(
        rotation,
        delivered=False,
        former_expires_at=rotation.former_expires_at if ends is None else ends,
        deadline=now + max(overlap, MIN_ALERT_SECONDS),
        retire_at=now + overlap if rules.retire_unused else None,
    )
    return Step(prepared.moved(State.PREPARED, now), Act.PREPARE)


def _is_asked_for(rotation: Rotation, rules: RotationRules, facts: SecretFacts, now: float) -> bool:
    """Return whether the policy still asks for a rotation of the current secret that it has begun."""
    if rotation.reason is not Reason.POLICY:
        return True
    if not facts.needs_secret or rules.policy is None or not rules.automatic:
        return False
    ends = rotation.former_expires_at if facts.is_successor_current else facts.current_expires_at
    start_at = None if ends is None else rules.start_at(rotation.client_uuid, ends)
    return start_at is None or start_at <= now


def _extend(rotation: Rotation, rules: RotationRules, facts: SecretFacts, now: float) -> Step | None:
    """Keep the client's only secret alive while a rotation of it cannot begin, from when little of its
    lifetime is left."""
    ends = facts.current_expires_at
    if rules.retire_unused or rules.policy is None or ends is None or not now < ends:
        return None
    if ends > now + margin_of(rules.policy):
        return None
    return Step(replace(rotation, former_expires_at=ends), Act.EXTEND)


def _deliver(rotation: Rotation, rules: RotationRules, facts: SecretFacts, now: float) -> Step | None:
    if rotation.retire_at is not None and not rules.retire_unused:
        return _hold(rotation)  # the rules were stricter when it began
    if rotation.retire_at is not None and now >= rotation.retire_at:
        return _retire(rotation, now)
    if facts.successor_used:
        ends = min(now + rules.overlap_of(rotation), rotation.retire_at or math.inf)
        used = replace(rotation, alert=None, retire_at=ends)
        return Step(used.moved(State.IN_USE, now), Act.START_OVERLAP)
    if rotation.state is State.PREPARED and rotation.delivered and facts.applied:
        return Step(rotation.moved(State.DELIVERED, now), Act.DELIVER)
    if rotation.alert is None and rotation.deadline is not None and now >= rotation.deadline:
        return Step(replace(rotation, alert=Alert.UNUSED))
    return None
