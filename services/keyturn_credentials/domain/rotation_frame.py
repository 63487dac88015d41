"""The frame of rotations of every kind of credential: steps, waiting, failures. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from keyturn_credentials.domain.rotation import Reason, Rotation, State, WaitsFor
from keyturn_credentials.domain.rotation_failure import Failure, FailureCode
from keyturn_credentials.domain.rotation_rules import RotationRules

BOTH_ACCEPTED: Final = frozenset({State.PREPARED, State.DELIVERED, State.IN_USE})


class Act(StrEnum):
    """Effect of a step on the client.

    On its secrets. PREPARE: a successor beside the current secret. EXTEND: the current secret does not expire
    while its rotation waits. START_OVERLAP: the successor gets its expiry, the former secret its end. HOLD:
    neither expires any more, since the rotation is paused or the rules do not end unused ones. RETIRE: the
    former secret ends. FINISH: the successor is an ordinary secret. RESTORE: the successor ends, or the
    current secret gets back the expiry that it had. DELIVER: the successor is not shown any more if the realm
    stores digests only.

    On its keys. REMOVE_FORMER: the former ones are no longer registered. REVOKE_FORMER: they are refused
    wherever they appear. REMOVE_SUCCESSORS: only the former ones are registered again."""

    NOTHING = "nothing"
    PREPARE = "prepare"
    EXTEND = "extend"
    START_OVERLAP = "start_overlap"
    HOLD = "hold"
    RETIRE = "retire"
    FINISH = "finish"
    RESTORE = "restore"
    DELIVER = "deliver"
    REMOVE_FORMER = "remove_former"
    REVOKE_FORMER = "revoke_former"
    REMOVE_SUCCESSORS = "remove_successors"


@dataclass(frozen=True, slots=True)
class Step:
    """The rotation after a step, and what the step does to the client."""

    after: Rotation
    act: Act = Act.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Knowledge on which every step is decided.

    ``applied``: every node has applied the rotation's newest event or holds no lease. ``is_undelivered``: the
    successor is shown until its client has it, since the realm stores digests only. ``has_turn``: the realm's
    limit of rotations under way is not reached. ``is_enabled``: the client is let in at all.
    """

    applied: bool = False
    is_undelivered: bool = False
    has_turn: bool = True
    is_enabled: bool = True

    @property
    def is_keyless(self) -> bool:
        """Return True if the client publishes its keys, and nodes accept none of them."""
        return False


def waits_for(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> WaitsFor | None:
    """Return the condition of the next move; None if there is none, or it is met."""
    state, keys = rotation.state, rotation.keys
    if not state.is_open:
        return None
    if state is State.RETIRED:
        return WaitsFor.DELIVERY if facts.applied and facts.is_undelivered else WaitsFor.NODES
    if rotation.paused and (keys is not None or state is State.PLANNED or not rules.retire_unused):
        return WaitsFor.PERSON
    if state is State.PLANNED:
        if rotation.deadline is not None:
            return WaitsFor.SUCCESSOR
        return reason_not_to_begin(rotation, rules, now, has_turn=facts.has_turn)
    if state is State.PREPARED and not facts.applied:
        return WaitsFor.NODES
    if state is State.PREPARED and keys is None:
        return WaitsFor.DELIVERY
    if state is not State.IN_USE:
        return WaitsFor.USE
    is_over = rotation.retire_at is not None and now >= rotation.retire_at
    if not is_over or keys is None or not keys.published:
        return WaitsFor.OVERLAP
    return WaitsFor.SUCCESSOR if facts.is_keyless else WaitsFor.WITHDRAWAL


def reason_not_to_begin(
    rotation: Rotation, rules: RotationRules, now: float, *, has_turn: bool
) -> WaitsFor | None:
    """Return what a planned rotation waits for before it begins. Only one by policy waits."""
    if rotation.reason is not Reason.POLICY:
        return None
    if now < rotation.start_at:
        return WaitsFor.START
    if rules.window is not None and not rules.window.is_open(now):
        return WaitsFor.WINDOW
    return None if has_turn else WaitsFor.TURN


def pause(rotation: Rotation, rules: RotationRules) -> Step | None:
    """Return the step that holds the rotation up; None if nothing can: the former credential has ended, or
    the rules end it on time. The overlap of keys begins anew after it."""
    if rotation.state is State.RETIRED or (rules.retire_unused and rotation.state is not State.PLANNED):
        return None
    begins_anew = rotation.keys is not None and rotation.state is State.IN_USE
    return Step(replace(rotation, paused=True, retire_at=None if begins_anew else rotation.retire_at))


def may_fail(rotation: Rotation) -> bool:
    """Return whether giving it up by itself takes nothing from the client that it may use. No key ends by
    that. A new secret ends, so a rotation waits if its client may have taken it."""
    if rotation.keys is None and rotation.state is not State.PLANNED:
        return rotation.state is State.PREPARED and not (rotation.delivered or rotation.self_service)
    return rotation.state is State.PLANNED or rotation.state in BOTH_ACCEPTED


def fail(rotation: Rotation, code: FailureCode, now: float, cause: str = "") -> Step:
    """Return the step that ends the rotation by circumstances. A successor that may fail ends; the former
    credential is the only one again."""
    failed = replace(rotation, alert=None, failure=Failure.of(code, cause)).moved(State.FAILED, now)
    return Step(failed, Act.NOTHING if rotation.keys is not None else Act.RESTORE)


def while_disabled(rotation: Rotation, rules: RotationRules, facts: Facts, now: float) -> Step | None:
    """Return the step that notes since when the client is disabled, or ends its rotation once that is longer
    than the rules wait; None if there is nothing to note."""
    since = rotation.disabled_since
    if facts.is_enabled or rules.disabled_limit is None:
        return None if since is None else Step(replace(rotation, disabled_since=None))
    if since is None:
        return Step(replace(rotation, disabled_since=now))
    goes_on = rotation.paused or rotation.state is State.IN_USE  # its overlap ends without the client
    is_over = now >= since + rules.disabled_limit and not goes_on
    return fail(rotation, FailureCode.CLIENT_DISABLED, now) if is_over and may_fail(rotation) else None
