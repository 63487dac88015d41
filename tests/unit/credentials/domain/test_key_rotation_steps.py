"""Rotations of keys in random histories, and each state with what it waits for and what ends it."""

import math
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings

from keyturn_credentials.domain.key_rotation_steps import KeyFacts, cancel_key, keys_in, next_key_step
from keyturn_credentials.domain.rotation import Alert, Kind, Reason, RotatedKeys, Rotation, State, WaitsFor
from keyturn_credentials.domain.rotation_frame import Act, Step, pause, waits_for
from keyturn_credentials.domain.rotation_rules import KeyPolicy, RotationRules
from tests.unit.credentials.domain.key_rotation_machine import KeyRotationMachine
from tests.unit.credentials.domain.rotation_scenes import rotation_in

RULES = RotationRules(None, keys=KeyPolicy(period=1000, overlap=100))
REVOKING = replace(RULES, keys=replace(RULES.keys, revoke_former=True))
STRICT = replace(RULES, retire_unused=True)
OLD, NEW, BOTH = frozenset({"old"}), frozenset({"new"}), frozenset({"old", "new"})

TestKeyRotations = KeyRotationMachine.TestCase
TestKeyRotations.settings = settings(
    max_examples=int(os.environ.get("ROTATION_EXAMPLES", "200")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def key_rotation(
    *states: State,
    successors: tuple[str, ...] = ("new",),
    former: tuple[str, ...] | None = ("old",),
    published: bool = False,
    reason: Reason = Reason.POLICY,
    **members: object,
) -> Rotation:
    keys = RotatedKeys(former, successors if states else (), published)
    return replace(rotation_in(*states, reason=reason), kind=Kind.KEY, keys=keys, **members)  # type: ignore[arg-type]


def taken(step: Step | None) -> tuple[State, Act] | None:
    return None if step is None else (step.after.state, step.act)


def facts(accepted: frozenset[str] | None = BOTH, **known: object) -> KeyFacts:
    return KeyFacts(**({"accepted": accepted, "keys_since": 0.0, "applied": True} | known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rotation", "rules", "known", "now", "expected"),
    [
        (key_rotation(former=None), RULES, facts(None), 1000.0, (State.PLANNED, Act.NOTHING)),
        (key_rotation(former=None), RULES, facts(OLD), 1000.0, (State.PLANNED, Act.NOTHING)),
        (key_rotation(), RULES, facts(OLD), 1000.0, (State.PLANNED, Act.NOTHING)),
        (key_rotation(), RULES, facts(BOTH), 1000.0, (State.PREPARED, Act.NOTHING)),
        (key_rotation(), RULES, facts(OLD), 999.0, (State.SUPERSEDED, Act.NOTHING)),
        (key_rotation(deadline=1100.0), RULES, facts(OLD), 1099.0, None),
        (key_rotation(paused=True), RULES, facts(BOTH), 1000.0, None),
        (key_rotation(State.PREPARED), RULES, facts(BOTH), 1e6, None),
        (key_rotation(State.PREPARED), RULES, facts(None), 1e6, None),
        (key_rotation(State.PREPARED), RULES, facts(BOTH, used=NEW), 60.0, (State.IN_USE, Act.NOTHING)),
        (
            key_rotation(State.PREPARED),
            RULES,
            facts(frozenset({"other"})),
            60.0,
            (State.SUPERSEDED, Act.NOTHING),
        ),
        (key_rotation(State.PREPARED), RULES, facts(NEW), 60.0, (State.RETIRED, Act.NOTHING)),
        (
            key_rotation(State.PREPARED, retire_at=150.0),
            STRICT,
            facts(),
            150.0,
            (State.RETIRED, Act.REMOVE_FORMER),
        ),
        (
            key_rotation(State.PREPARED, retire_at=150.0),
            RULES,
            facts(),
            150.0,
            (State.PREPARED, Act.NOTHING),
        ),
        (key_rotation(State.PREPARED, State.IN_USE, retire_at=150.0), RULES, facts(), 149.9, None),
        (
            key_rotation(State.PREPARED, State.IN_USE, retire_at=150.0),
            RULES,
            facts(),
            150.0,
            (State.RETIRED, Act.REMOVE_FORMER),
        ),
        (key_rotation(State.PREPARED, State.IN_USE, retire_at=150.0, paused=True), RULES, facts(), 1e6, None),
        (
            key_rotation(State.PREPARED, published=True),
            RULES,
            facts(OLD, published=True),
            60.0,
            (State.ROLLED_BACK, Act.NOTHING),
        ),
        (
            key_rotation(State.PREPARED, State.IN_USE, published=True, retire_at=150.0),
            RULES,
            facts(published=True),
            150.0,
            (State.IN_USE, Act.NOTHING),
        ),
        (
            key_rotation(State.PREPARED, State.IN_USE, published=True, retire_at=150.0),
            REVOKING,
            facts(published=True),
            150.0,
            (State.RETIRED, Act.REVOKE_FORMER),
        ),
        (key_rotation(State.PREPARED, State.RETIRED), RULES, facts(applied=False), 1e6, None),
        (key_rotation(State.PREPARED, State.RETIRED), RULES, facts(), 151.0, (State.DONE, Act.NOTHING)),
        (key_rotation(State.PREPARED, State.DONE), RULES, facts(), 1e6, None),
    ],
)
def test_each_state_moves_on_when_its_condition_is_met(
    rotation: Rotation,
    rules: RotationRules,
    known: KeyFacts,
    now: float,
    expected: tuple[State, Act] | None,
) -> None:
    assert taken(next_key_step(rotation, rules, known, now)) == expected


@pytest.mark.parametrize(
    ("rotation", "known", "now", "alert"),
    [
        (key_rotation(deadline=1100.0), facts(OLD), 1100.0, Alert.MISSING),
        (key_rotation(State.PREPARED, deadline=150.0), facts(), 150.0, Alert.UNUSED),
        (
            key_rotation(State.PREPARED, State.IN_USE, published=True, retire_at=150.0),
            facts(published=True),
            150.0,
            Alert.PUBLISHED,
        ),
    ],
)
def test_somebody_is_alerted_once(rotation: Rotation, known: KeyFacts, now: float, alert: Alert) -> None:
    step = next_key_step(rotation, RULES, known, now)
    assert step is not None
    assert step.after.alert is alert
    assert next_key_step(step.after, RULES, known, math.inf) is None


@pytest.mark.parametrize(
    ("rotation", "known", "now", "expected"),
    [
        (key_rotation(start_at=2000.0), facts(OLD), 1000.0, WaitsFor.START),
        (key_rotation(), facts(OLD, has_turn=False), 1000.0, WaitsFor.TURN),
        (key_rotation(deadline=1100.0), facts(OLD), 1000.0, WaitsFor.SUCCESSOR),
        (key_rotation(paused=True), facts(OLD), 1000.0, WaitsFor.PERSON),
        (key_rotation(State.PREPARED), facts(applied=False), 60.0, WaitsFor.NODES),
        (key_rotation(State.PREPARED), facts(), 60.0, WaitsFor.USE),
        (key_rotation(State.PREPARED, State.IN_USE, retire_at=150.0), facts(), 149.0, WaitsFor.OVERLAP),
        (
            key_rotation(State.PREPARED, State.IN_USE, published=True, retire_at=150.0),
            facts(published=True),
            150.0,
            WaitsFor.WITHDRAWAL,
        ),
        (
            key_rotation(State.PREPARED, State.IN_USE, published=True, retire_at=150.0),
            facts(frozenset(), published=True),
            150.0,
            WaitsFor.SUCCESSOR,
        ),
        (key_rotation(State.PREPARED, State.RETIRED), facts(), 151.0, WaitsFor.NODES),
        (key_rotation(State.CANCELLED), facts(), 60.0, None),
    ],
)
def test_it_says_what_it_waits_for(
    rotation: Rotation, known: KeyFacts, now: float, expected: WaitsFor | None
) -> None:
    assert waits_for(rotation, RULES, known, now) is expected


@pytest.mark.parametrize(
    ("rotation", "accepted", "expected"),
    [
        (key_rotation(), OLD, (State.CANCELLED, Act.NOTHING)),
        (key_rotation(State.PREPARED), BOTH, (State.ROLLED_BACK, Act.REMOVE_SUCCESSORS)),
        (key_rotation(State.PREPARED, State.IN_USE), BOTH, (State.ROLLED_BACK, Act.REMOVE_SUCCESSORS)),
        (key_rotation(State.PREPARED), NEW, None),
        (key_rotation(State.PREPARED, published=True), None, (State.CANCELLED, Act.NOTHING)),
        (key_rotation(State.PREPARED, State.RETIRED), BOTH, None),
    ],
)
def test_it_is_given_up_while_the_former_key_is_there(
    rotation: Rotation, accepted: frozenset[str] | None, expected: tuple[State, Act] | None
) -> None:
    assert taken(cancel_key(rotation, facts(accepted), 60.0)) == expected


def test_a_revocation_under_way_cannot_be_paused() -> None:
    assert pause(key_rotation(State.PREPARED, State.RETIRED), RULES) is None
    assert pause(key_rotation(State.PREPARED), RULES) is not None
    assert pause(key_rotation(State.PREPARED), STRICT) is None


class HastyMachine(KeyRotationMachine):
    """Ends the former key without having seen the next one in use."""

    def _next(self, rotation: Rotation) -> Step | None:
        used = frozenset(keys_in(rotation).successors)
        return next_key_step(rotation, self._rules(), replace(self._facts(rotation), used=used), self.now)


class BlindMachine(KeyRotationMachine):
    """Takes a key set that cannot be read for one without the former key."""

    def _facts(self, rotation: Rotation) -> KeyFacts:
        known = super()._facts(rotation)
        if known.accepted is not None:
            return known
        return replace(known, accepted=frozenset(keys_in(rotation).successors))


class RevokingMachine(KeyRotationMachine):
    """Revokes the former key although the policy leaves that to the client."""

    def _rules(self) -> RotationRules:
        rules = super()._rules()
        return replace(rules, retire_unused=True, keys=replace(rules.keys, revoke_former=True))


class RashMachine(KeyRotationMachine):
    """A rotation that fails removes the next key, which the client may use."""

    def _next(self, rotation: Rotation) -> Step | None:
        step = super()._next(rotation)
        failed = step is not None and step.after.state is State.FAILED
        return replace(step, act=Act.REMOVE_SUCCESSORS) if step is not None and failed else step


INVARIANTS = (
    KeyRotationMachine.the_client_is_let_in,
    KeyRotationMachine.one_that_failed_says_why,
    KeyRotationMachine.a_rotation_that_is_done_left_no_former_key,
    KeyRotationMachine.an_open_one_waits_for_what_it_says,
)


def play(machine: KeyRotationMachine, *moves: Callable[[KeyRotationMachine], None]) -> None:
    for move in moves:
        move(machine)
        for check in INVARIANTS:
            check(machine)


@pytest.mark.parametrize(
    ("mutant", "moves"),
    [
        (
            RashMachine,
            [
                lambda it: it.choose(),
                lambda it: it.make_next_key(),
                lambda it: it.use_next_key(),
                lambda it: it.change_authenticator(),
            ],
        ),
        (HastyMachine, [lambda it: it.choose(), lambda it: it.make_next_key(), lambda it: it.wait(400)]),
        (
            BlindMachine,
            [
                lambda it: it.choose(published=True),
                lambda it: it.start(),
                lambda it: it.make_next_key(),
                lambda it: it.reach_redis(False),
            ],
        ),
        (
            RevokingMachine,
            [
                lambda it: it.choose(published=True),
                lambda it: it.start(),
                lambda it: it.make_next_key(),
                lambda it: it.wait(400),
            ],
        ),
    ],
)
def test_without_a_guard_an_invariant_is_violated(
    mutant: type[KeyRotationMachine], moves: list[Callable[[KeyRotationMachine], None]]
) -> None:
    play(KeyRotationMachine(), *moves)
    with pytest.raises(AssertionError):
        play(mutant(), *moves)
