"""Rotations that cannot go on: each circumstance with its code, and what the client keeps."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.key_rotation_steps import KeyFacts, next_key_step
from keyturn_credentials.domain.rotation import Kind, Reason, RotatedKeys, Rotation, State
from keyturn_credentials.domain.rotation_failure import FailureCode
from keyturn_credentials.domain.rotation_frame import Act, Step
from keyturn_credentials.domain.rotation_rules import KeyPolicy, RotationRules
from keyturn_credentials.domain.rotation_steps import SecretFacts, next_step
from tests.unit.credentials.domain.rotation_scenes import POLICY, SUCCESSOR, rotation_in

RULES = RotationRules(POLICY, disabled_limit=500)
KEY_RULES = RotationRules(None, keys=KeyPolicy(period=1000, overlap=100), disabled_limit=500)
PREPARED = rotation_in(State.PREPARED, deadline=1e6)


def key_rotation(*states: State, published: bool = False, deadline: float | None = 1100.0) -> Rotation:
    keys = RotatedKeys(("old",), ("new",) if states else (), published)
    return replace(rotation_in(*states), kind=Kind.KEY, keys=keys, deadline=deadline)


def key_facts(*accepted: str, **known: object) -> KeyFacts:
    return KeyFacts(**({"accepted": frozenset(accepted), "keys_since": 0.0} | known))  # type: ignore[arg-type]


def outcome(step: Step | None) -> tuple[State, FailureCode | None, Act] | None:
    if step is None:
        return None
    failure = step.after.failure
    return step.after.state, None if failure is None else failure.code, step.act


def failed(code: FailureCode, act: Act) -> tuple[State, FailureCode, Act]:
    return State.FAILED, code, act


def test_a_secret_is_not_rotated_for_a_client_that_no_longer_authenticates_with_it() -> None:
    unused = FailureCode.CREDENTIAL_NOT_USED
    step = next_step(PREPARED, RULES, replace(SUCCESSOR, needs_secret=False), 60.0)
    assert outcome(step) == failed(unused, Act.RESTORE)
    step = next_step(rotation_in(), RULES, SecretFacts(needs_secret=False), 60.0)
    assert outcome(step) == failed(unused, Act.RESTORE)
    gone = SecretFacts(needs_secret=False)
    assert outcome(next_step(PREPARED, RULES, gone, 60.0)) == failed(unused, Act.NOTHING), "it is public now"


@pytest.mark.parametrize("reason", [Reason.MANUAL, Reason.COMPROMISED])
def test_a_person_may_rotate_a_secret_that_its_client_does_not_use(reason: Reason) -> None:
    step = next_step(rotation_in(reason=reason), RULES, SecretFacts(needs_secret=False), 60.0)
    assert step is not None
    assert step.act is Act.PREPARE


def test_a_rotation_fails_when_its_client_was_disabled_for_longer_than_the_rules_wait() -> None:
    disabled = replace(SUCCESSOR, is_enabled=False)
    step = next_step(PREPARED, RULES, disabled, 100.0)
    assert step is not None
    assert (step.after.state, step.after.disabled_since, step.act) == (State.PREPARED, 100.0, Act.NOTHING)
    assert next_step(step.after, RULES, disabled, 599.0) is None
    over = next_step(step.after, RULES, disabled, 600.0)
    assert outcome(over) == failed(FailureCode.CLIENT_DISABLED, Act.RESTORE)
    assert over is not None
    assert over.after.failure is not None
    assert over.after.failure.detail == "The client has been disabled for longer than its policy waits."
    enabled = next_step(step.after, RULES, SUCCESSOR, 300.0)
    assert enabled is not None
    assert enabled.after.disabled_since is None


def test_without_a_limit_a_rotation_waits_for_a_disabled_client() -> None:
    rules = replace(RULES, disabled_limit=None)
    assert next_step(PREPARED, rules, replace(SUCCESSOR, is_enabled=False), 1e5) is None


@pytest.mark.parametrize(
    "taken",
    [
        replace(PREPARED, delivered=True, disabled_since=100.0),
        replace(PREPARED, self_service=True, disabled_since=100.0),
        replace(rotation_in(State.PREPARED, State.DELIVERED, deadline=1e6), disabled_since=100.0),
        replace(PREPARED, paused=True, disabled_since=100.0),
    ],
)
def test_a_secret_that_its_client_may_have_taken_is_not_ended_by_a_failure(taken: Rotation) -> None:
    assert next_step(taken, RULES, replace(SUCCESSOR, is_enabled=False), 1e5) is None


@pytest.mark.parametrize(
    ("rotation", "facts", "now", "code"),
    [
        (key_rotation(), key_facts("old", uses_keys=False), 1000.0, FailureCode.CREDENTIAL_NOT_USED),
        (
            key_rotation(State.PREPARED),
            key_facts("old", "new", uses_keys=False),
            60.0,
            FailureCode.CREDENTIAL_NOT_USED,
        ),
        (key_rotation(State.PREPARED), key_facts("old", published=True), 60.0, FailureCode.KEYS_MOVED),
        (key_rotation(), key_facts(), 1100.0, FailureCode.NO_USABLE_KEY),
        (key_rotation(State.PREPARED), key_facts(), 60.0, FailureCode.NO_USABLE_KEY),
        (
            key_rotation(State.PREPARED, published=True),
            key_facts(published=True),
            1100.0,
            FailureCode.NO_USABLE_KEY,
        ),
        (
            replace(key_rotation(State.PREPARED), disabled_since=100.0),
            key_facts("old", "new", is_enabled=False),
            600.0,
            FailureCode.CLIENT_DISABLED,
        ),
        (key_rotation(State.PREPARED), key_facts("old"), 60.0, FailureCode.SUCCESSOR_REVOKED),
        (
            key_rotation(State.PREPARED, published=True),
            key_facts("old", published=True, revoked=frozenset({"new"})),
            60.0,
            FailureCode.SUCCESSOR_REVOKED,
        ),
        (
            replace(key_rotation(), disabled_since=100.0),
            key_facts("old", is_enabled=False),
            600.0,
            FailureCode.CLIENT_DISABLED,
        ),
    ],
)
def test_a_rotation_of_a_key_fails_and_no_key_ends_by_that(
    rotation: Rotation, facts: KeyFacts, now: float, code: FailureCode
) -> None:
    assert outcome(next_key_step(rotation, KEY_RULES, facts, now)) == failed(code, Act.NOTHING)


def test_a_client_that_publishes_only_its_former_key_again_has_taken_the_next_one_back() -> None:
    step = next_key_step(
        key_rotation(State.PREPARED, published=True), KEY_RULES, key_facts("old", published=True), 60.0
    )
    assert outcome(step) == (State.ROLLED_BACK, None, Act.NOTHING)


@pytest.mark.parametrize(
    ("rotation", "facts", "now"),
    [
        (key_rotation(), key_facts(), 1099.0),
        (key_rotation(), KeyFacts(accepted=None, keys_since=0.0), 1e5),
        (key_rotation(State.PREPARED, published=True), key_facts(published=True), 1099.0),
        (key_rotation(State.PREPARED, State.IN_USE, published=True), key_facts(published=True), 1e5),
        (
            replace(key_rotation(State.PREPARED, State.IN_USE), retire_at=1e6, disabled_since=100.0),
            key_facts("old", "new", is_enabled=False),
            1e5,
        ),
    ],
)
def test_a_rotation_of_a_key_waits_before_its_deadline_without_knowledge_and_once_the_next_one_is_used(
    rotation: Rotation, facts: KeyFacts, now: float
) -> None:
    step = next_key_step(rotation, KEY_RULES, facts, now)
    assert step is None or step.after.state is rotation.state


def test_keys_that_come_back_after_an_outage_of_their_url_are_no_new_ones() -> None:
    planned = key_rotation(published=True, deadline=None)
    unknown = replace(planned, keys=RotatedKeys(None, published=True), reason=Reason.MANUAL)
    away = next_key_step(unknown, KEY_RULES, key_facts(published=True), 50.0)
    assert away is not None
    assert away.after.keys == unknown.keys
    back = next_key_step(away.after, KEY_RULES, key_facts("old", published=True), 60.0)
    assert back is not None
    assert (back.after.state, back.after.keys) == (State.PLANNED, RotatedKeys(("old",), published=True))
