"""The state machine of a rotation of a client's key. Pure: facts and time are arguments.

The client makes the key pair, so a rotation begins with a request to the client, and watches what it does.
"""

import math
from dataclasses import dataclass, replace

from keyturn_credentials.domain.rotation import Alert, Reason, RotatedKeys, Rotation, State
from keyturn_credentials.domain.rotation_failure import FailureCode
from keyturn_credentials.domain.rotation_frame import (
    BOTH_ACCEPTED,
    Act,
    Facts,
    Step,
    fail,
    reason_not_to_begin,
    while_disabled,
)
from keyturn_credentials.domain.rotation_rules import MIN_ALERT_SECONDS, RotationRules


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts(Facts):
    """Knowledge about the client on which a step is decided.

    ``uses_keys``: the client authenticates by its keys. ``published``: at a URL. ``accepted``: thumbprints of
    the keys that nodes accept, None if unknown. ``used``: of the keys with which the client has authenticated
    since the rotation began. ``revoked``: of the keys that are refused forever. ``keys_since``: NumericDate
    seconds since when it has its keys.
    """

    uses_keys: bool = True
    published: bool = False
    accepted: frozenset[str] | None = None
    used: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    keys_since: float | None = None

    @property
    def is_keyless(self) -> bool:
        return self.published and self.accepted == frozenset()


def keys_in(rotation: Rotation) -> RotatedKeys:
    """Return the keys of a rotation of keys."""
    assert rotation.keys is not None, "every rotation of keys has them"  # noqa: S101 - else its row is wrong
    return rotation.keys


def next_key_step(rotation: Rotation, rules: RotationRules, facts: KeyFacts, now: float) -> Step | None:
    """Return the step that is due; None while the rotation waits.

    The former key ends only after the successor was used, unless the rules say ``retire_unused``, the client
    itself withdrew it, or it is compromised.
    """
    state, keys = rotation.state, keys_in(rotation)
    if not state.is_open:
        return None
    if state is State.RETIRED:
        return Step(rotation.moved(State.DONE, now)) if facts.applied else None
    if not facts.uses_keys:
        return fail(rotation, FailureCode.CREDENTIAL_NOT_USED, now)
    if facts.published is not keys.published:
        return fail(rotation, FailureCode.KEYS_MOVED, now)
    blocked = while_disabled(rotation, rules, facts, now)
    if blocked is not None:
        return blocked
    if state is State.PLANNED:
        return _begin(rotation, rules, facts, now)
    if facts.accepted is None or rotation.paused:
        return None
    has_former = not facts.accepted.isdisjoint(keys.former or ())
    if facts.accepted.isdisjoint(keys.successors):
        return _without_successor(rotation, facts, now, has_former=has_former)
    if not has_former:
        return _retire(rotation, Act.NOTHING, now)
    return _end(rotation, rules, now) if state is State.IN_USE else _await_use(rotation, rules, facts, now)


def prepare(rotation: Rotation, rules: RotationRules, successors: frozenset[str], now: float) -> Rotation:
    """Return the rotation with these keys accepted beside the former ones."""
    overlap = rules.keys.overlap
    prepared = replace(
        rotation,
        keys=replace(keys_in(rotation), successors=tuple(sorted(successors))),
        alert=None,
        deadline=now + max(overlap, MIN_ALERT_SECONDS),
        retire_at=now + overlap if rules.retire_unused else None,
    )
    return prepared if rotation.state is State.PREPARED else prepared.moved(State.PREPARED, now)


def cancel_key(rotation: Rotation, facts: KeyFacts, now: float) -> Step | None:
    """Return the step that gives the rotation up; None if it is too late. What a client publishes stays
    published."""
    keys = keys_in(rotation)
    if rotation.state is State.PLANNED or (rotation.state in BOTH_ACCEPTED and keys.published):
        return Step(replace(rotation, alert=None).moved(State.CANCELLED, now))
    if rotation.state not in BOTH_ACCEPTED or (facts.accepted or frozenset()).isdisjoint(keys.former or ()):
        return None
    return Step(replace(rotation, alert=None).moved(State.ROLLED_BACK, now), Act.REMOVE_SUCCESSORS)


def _begin(rotation: Rotation, rules: RotationRules, facts: KeyFacts, now: float) -> Step | None:
    keys = keys_in(rotation)
    if rotation.paused:
        return None
    if facts.accepted and keys.former is None:
        return Step(replace(rotation, keys=replace(keys, former=tuple(sorted(facts.accepted)))))
    new = (facts.accepted or frozenset()) - set(keys.former or ())
    if new:
        return Step(prepare(rotation, rules, new, now))
    if not _is_asked_for(rotation, rules, facts, now):
        return Step(replace(rotation, alert=None).moved(State.SUPERSEDED, now))
    if rotation.deadline is None:
        if reason_not_to_begin(rotation, rules, now, has_turn=facts.has_turn) is not None:
            return None
        return Step(replace(rotation, deadline=now + rules.keys.patience))
    if now >= rotation.deadline and facts.accepted == frozenset():
        return fail(rotation, FailureCode.NO_USABLE_KEY, now)
    if rotation.alert is None and now >= rotation.deadline:
        return Step(replace(rotation, alert=Alert.MISSING))
    return None


def _without_successor(rotation: Rotation, facts: KeyFacts, now: float, *, has_former: bool) -> Step | None:
    """End a rotation whose successors are no longer accepted: the client published only its former key
    again, somebody gave it other keys, or it has lost them. A URL may come back before the deadline, and at
    any time once the next key was used."""
    keys = keys_in(rotation)
    if not facts.accepted:
        is_over = rotation.state is State.PREPARED and now >= (rotation.deadline or 0.0)
        return fail(rotation, FailureCode.NO_USABLE_KEY, now) if is_over or not keys.published else None
    if has_former and (not keys.published or not facts.revoked.isdisjoint(keys.successors)):
        return fail(rotation, FailureCode.SUCCESSOR_REVOKED, now)
    ended = State.ROLLED_BACK if has_former else State.SUPERSEDED
    return Step(replace(rotation, alert=None).moved(ended, now))


def _is_asked_for(rotation: Rotation, rules: RotationRules, facts: KeyFacts, now: float) -> bool:
    """Return whether the policy still asks for a rotation that it has begun."""
    if rotation.reason is not Reason.POLICY:
        return True
    start_at = rules.key_start_at(rotation.client_uuid, facts.keys_since)
    return start_at is not None and start_at <= now


def _await_use(rotation: Rotation, rules: RotationRules, facts: KeyFacts, now: float) -> Step | None:
    if (rotation.retire_at is not None) is not rules.retire_unused:  # the rules were others when it began
        return Step(replace(rotation, retire_at=now + rules.keys.overlap if rules.retire_unused else None))
    latest = rotation.retire_at
    if not facts.used.isdisjoint(keys_in(rotation).successors):
        ends = min(now + rules.keys.overlap, math.inf if latest is None else latest)
        return Step(replace(rotation, alert=None, retire_at=ends).moved(State.IN_USE, now))
    if latest is not None and now >= latest:
        return _end(rotation, rules, now)
    if rotation.alert is None and rotation.deadline is not None and now >= rotation.deadline:
        return Step(replace(rotation, alert=Alert.UNUSED))
    return None


def _end(rotation: Rotation, rules: RotationRules, now: float) -> Step | None:
    """End the former key after the overlap. What a client publishes ends only by its own hand, or is revoked
    if the policy says so."""
    if rotation.retire_at is None:  # it was paused
        return Step(replace(rotation, retire_at=now + rules.keys.overlap))
    if now < rotation.retire_at:
        return None
    if not keys_in(rotation).published:
        return _retire(rotation, Act.REMOVE_FORMER, now)
    if rules.keys.revoke_former:
        return _retire(rotation, Act.REVOKE_FORMER, now)
    return None if rotation.alert is Alert.PUBLISHED else Step(replace(rotation, alert=Alert.PUBLISHED))


def _retire(rotation: Rotation, act: Act, now: float) -> Step:
    return Step(replace(rotation, alert=None).moved(State.RETIRED, now), act)
