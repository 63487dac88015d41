"""Each state of a rotation, with what it waits for and what ends it."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.rotation import Alert, Reason, State, WaitsFor
from keyturn_credentials.domain.rotation_frame import Act, Step, pause, waits_for
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.rotation_steps import SecretFacts, cancel, confirm, next_step
from keyturn_credentials.domain.rotation_window import Window
from keyturn_credentials.domain.secrets import RotationPolicy
from tests.unit.credentials.domain.rotation_scenes import POLICY, RULES, STRICT, SUCCESSOR, rotation_in

CLOSED = RotationRules(POLICY, window=Window.parse("02:00-03:00", "window"))
"""Closed in the first two hours of the epoch."""


def taken(step: Step | None) -> tuple[State, Act] | None:
    return None if step is None else (step.after.state, step.act)


@pytest.mark.parametrize(
    ("rules", "facts", "now", "expected", "waits"),
    [
        (RULES, SecretFacts(), 9.9, None, WaitsFor.START),
        (RULES, SecretFacts(), 10.0, (State.PREPARED, Act.PREPARE), None),
        (CLOSED, SecretFacts(), 10.0, None, WaitsFor.WINDOW),
        (CLOSED, SecretFacts(), 7200.0, (State.PREPARED, Act.PREPARE), None),
        (RULES, SecretFacts(has_turn=False), 10.0, None, WaitsFor.TURN),
    ],
)
def test_a_planned_one_begins_at_its_time_in_the_window_and_in_its_turn(
    rules: RotationRules,
    facts: SecretFacts,
    now: float,
    expected: tuple[State, Act] | None,
    waits: WaitsFor | None,
) -> None:
    planned = rotation_in()
    assert taken(next_step(planned, rules, facts, now)) == expected
    assert waits_for(planned, rules, facts, now) == waits


@pytest.mark.parametrize("reason", [Reason.MANUAL, Reason.COMPROMISED])
def test_what_a_person_asks_for_waits_for_no_window(reason: Reason) -> None:
    step = next_step(rotation_in(reason=reason, start_at=1e9), CLOSED, SecretFacts(has_turn=False), 1.0)
    assert step is not None
    assert step.act is Act.PREPARE
    assert step.after.state is (State.RETIRED if reason is Reason.COMPROMISED else State.PREPARED)


def test_the_only_secret_of_a_client_does_not_expire_while_its_rotation_cannot_begin() -> None:
    ends_soon = SecretFacts(current_expires_at=60.0)
    for rules, paused in ((CLOSED, False), (RULES, True)):
        step = next_step(rotation_in(paused=paused), rules, ends_soon, 20.0)
        assert taken(step) == (State.PLANNED, Act.EXTEND)
        assert step is not None
        assert step.after.former_expires_at == 60.0
    assert next_step(rotation_in(), CLOSED, SecretFacts(current_expires_at=121.0), 20.0) is None, (
        "there is time"
    )
    assert next_step(rotation_in(), CLOSED, SecretFacts(current_expires_at=15.0), 20.0) is None, (
        "it has expired"
    )
    strict = replace(CLOSED, retire_unused=True)
    assert next_step(rotation_in(), strict, ends_soon, 20.0) is None, "the rules let it expire"


def test_a_prepared_one_is_delivered_when_somebody_says_so_and_every_node_has_it() -> None:
    prepared = rotation_in(State.PREPARED, deadline=150.0)
    delivered = replace(prepared, delivered=True)
    everywhere = replace(SUCCESSOR, applied=True)
    assert next_step(prepared, RULES, everywhere, 60.0) is None
    assert next_step(delivered, RULES, SUCCESSOR, 60.0) is None
    assert taken(next_step(delivered, RULES, everywhere, 60.0)) == (State.DELIVERED, Act.DELIVER)
    assert waits_for(prepared, RULES, SUCCESSOR, 60.0) is WaitsFor.NODES
    assert waits_for(prepared, RULES, everywhere, 60.0) is WaitsFor.DELIVERY


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED])
def test_the_overlap_begins_with_the_first_use(state: State) -> None:
    step = next_step(
        rotation_in(state, deadline=150.0), RULES, replace(SUCCESSOR, successor_used=True), 5000.0
    )
    assert taken(step) == (State.IN_USE, Act.START_OVERLAP)
    assert step is not None
    assert step.after.retire_at == 5100.0


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED])
def test_a_successor_that_nobody_uses_raises_an_alert_once_and_ends_nothing(state: State) -> None:
    waiting = rotation_in(state, deadline=150.0)
    assert next_step(waiting, RULES, SUCCESSOR, 149.0) is None
    step = next_step(waiting, RULES, SUCCESSOR, 150.0)
    assert taken(step) == (state, Act.NOTHING)
    assert step is not None
    assert step.after.alert is Alert.UNUSED
    assert next_step(step.after, RULES, SUCCESSOR, 1e9) is None


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED])
def test_only_rules_that_say_so_retire_a_secret_whose_successor_was_not_used(state: State) -> None:
    waiting = rotation_in(state, deadline=150.0, retire_at=150.0)
    assert taken(next_step(waiting, STRICT, SUCCESSOR, 150.0)) == (State.RETIRED, Act.RETIRE)
    begun = next_step(rotation_in(), STRICT, SecretFacts(), 50.0)
    assert begun is not None
    assert begun.after.retire_at == 150.0


def test_it_is_retired_at_the_end_of_the_overlap_and_done_when_every_node_refuses_it() -> None:
    in_use = rotation_in(State.PREPARED, State.IN_USE, retire_at=200.0)
    assert next_step(in_use, RULES, SUCCESSOR, 199.0) is None
    assert waits_for(in_use, RULES, SUCCESSOR, 199.0) is WaitsFor.OVERLAP
    assert taken(next_step(in_use, RULES, SUCCESSOR, 200.0)) == (State.RETIRED, Act.RETIRE)
    retired = rotation_in(State.PREPARED, State.IN_USE, State.RETIRED)
    assert next_step(retired, RULES, SecretFacts(), 300.0) is None
    assert waits_for(retired, RULES, SecretFacts(), 300.0) is WaitsFor.NODES
    assert taken(next_step(retired, RULES, SecretFacts(applied=True), 300.0)) == (State.DONE, Act.NOTHING)


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED, State.IN_USE])
def test_another_secret_made_meanwhile_supersedes_it(state: State) -> None:
    assert taken(next_step(rotation_in(state), RULES, SecretFacts(), 60.0)) == (State.SUPERSEDED, Act.NOTHING)


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED, State.IN_USE])
def test_a_former_secret_that_somebody_revoked_is_not_waited_for(state: State) -> None:
    waiting = rotation_in(state, paused=True, retire_at=1e6)
    step = next_step(waiting, RULES, replace(SUCCESSOR, has_former=False), 60.0)
    assert taken(step) == (State.RETIRED, Act.RETIRE)


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED])
def test_rules_that_change_meanwhile_are_in_force_for_it(state: State) -> None:
    lenient, strict = rotation_in(state), rotation_in(state, retire_at=150.0)
    ends = next_step(lenient, STRICT, SUCCESSOR, 60.0)
    assert taken(ends) == (state, Act.START_OVERLAP)
    assert ends is not None
    assert ends.after.retire_at == 160.0
    goes_on = next_step(strict, RULES, SUCCESSOR, 149.0)
    assert taken(goes_on) == (state, Act.HOLD)
    assert goes_on is not None
    assert goes_on.after.retire_at is None


def test_a_planned_one_that_no_policy_asks_for_any_more_does_not_begin() -> None:
    due = SecretFacts(current_expires_at=200.0)
    assert taken(next_step(rotation_in(), RULES, due, 60.0)) == (State.PREPARED, Act.PREPARE)
    by_hand = SecretFacts(current_expires_at=1060.0)
    assert taken(next_step(rotation_in(), RULES, by_hand, 60.0)) == (State.SUPERSEDED, Act.NOTHING)
    for rules in (RotationRules(None), replace(RULES, automatic=False)):
        assert taken(next_step(rotation_in(), rules, due, 60.0)) == (State.SUPERSEDED, Act.NOTHING)
    extended = replace(rotation_in(), former_expires_at=200.0)
    step = next_step(extended, RotationRules(None), SUCCESSOR, 60.0)
    assert taken(step) == (State.SUPERSEDED, Act.RESTORE)


def test_a_secret_that_has_expired_is_replaced_without_an_overlap() -> None:
    expired = SecretFacts(current_expires_at=50.0)
    step = next_step(rotation_in(reason=Reason.MANUAL), RULES, expired, 60.0)
    assert taken(step) == (State.RETIRED, Act.PREPARE)


def test_where_only_digests_are_stored_it_is_done_when_the_client_has_the_secret() -> None:
    retired = rotation_in(State.RETIRED, reason=Reason.COMPROMISED)
    shown = replace(SUCCESSOR, is_undelivered=True, applied=True)
    assert next_step(retired, RULES, shown, 60.0) is None
    assert waits_for(retired, RULES, shown, 60.0) is WaitsFor.DELIVERY
    for facts in (replace(shown, successor_used=True), replace(shown, is_undelivered=False)):
        assert taken(next_step(retired, RULES, facts, 60.0)) == (State.DONE, Act.FINISH)


def test_a_secret_does_not_expire_while_its_rotation_waits_for_nodes() -> None:
    retired, ends_soon = rotation_in(State.RETIRED), SecretFacts(current_expires_at=360.0)
    assert taken(next_step(retired, RULES, ends_soon, 300.0)) == (State.RETIRED, Act.EXTEND)
    assert next_step(retired, RULES, ends_soon, 200.0) is None


def test_a_delivery_is_confirmed_only_of_a_secret_that_there_is() -> None:
    assert confirm(rotation_in(), SecretFacts()) is None
    assert confirm(rotation_in(State.RETIRED), SUCCESSOR) is None
    for state, undelivered in ((State.PREPARED, False), (State.RETIRED, True)):
        step = confirm(rotation_in(state), replace(SUCCESSOR, is_undelivered=undelivered))
        assert step is not None
        assert step.after.delivered


def test_an_overlap_ends_before_the_next_rotation_must_begin() -> None:
    for rules in (RotationRules(RotationPolicy(1000, 1000)), RotationRules(RotationPolicy(50, 50))):
        used = replace(SUCCESSOR, successor_used=True)
        step = next_step(replace(rotation_in(State.PREPARED), overlap=1000), rules, used, 60.0)
        assert step is not None
        assert rules.policy is not None
        assert step.after.retire_at == 60.0 + rules.policy.expiration * 0.9
        assert rules.overlap == rules.policy.expiration * 0.9


USED = replace(SUCCESSOR, successor_used=True, applied=True)


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED, State.IN_USE])
def test_a_paused_one_does_not_move(state: State) -> None:
    paused = rotation_in(state, paused=True, delivered=True, deadline=60.0)
    assert next_step(paused, RULES, USED, 1e6) is None
    assert waits_for(paused, RULES, USED, 1e6) is WaitsFor.PERSON


def test_a_pause_in_the_overlap_holds_both_secrets_and_the_overlap_begins_anew_after_it() -> None:
    paused = rotation_in(State.IN_USE, paused=True, retire_at=200.0)
    held = next_step(paused, RULES, USED, 150.0)
    assert taken(held) == (State.IN_USE, Act.HOLD)
    assert held is not None
    assert next_step(held.after, RULES, USED, 1e6) is None
    goes_on = next_step(replace(held.after, paused=False), RULES, USED, 1e6)
    assert taken(goes_on) == (State.IN_USE, Act.START_OVERLAP)
    assert goes_on is not None
    assert goes_on.after.retire_at == 1e6 + 100


def test_a_pause_that_comes_after_the_end_of_the_former_secret_holds_nothing() -> None:
    paused = rotation_in(State.IN_USE, paused=True, retire_at=200.0)
    ended = replace(USED, has_former=False)
    assert taken(next_step(paused, RULES, ended, 200.0)) == (State.RETIRED, Act.RETIRE)


@pytest.mark.parametrize("state", [State.PREPARED, State.DELIVERED, State.IN_USE])
def test_rules_that_end_the_former_secret_on_time_know_no_pause(state: State) -> None:
    paused = rotation_in(state, paused=True, retire_at=200.0)
    assert pause(replace(paused, paused=False), STRICT) is None
    assert pause(rotation_in(), STRICT) is not None, "it has not begun"
    assert pause(paused, RULES) is not None
    assert taken(next_step(paused, STRICT, USED, 200.0)) == (State.RETIRED, Act.RETIRE)
    assert pause(rotation_in(State.PREPARED, State.RETIRED), RULES) is None


def test_a_use_of_the_successor_does_not_postpone_an_end_that_is_set() -> None:
    step = next_step(rotation_in(State.PREPARED, retire_at=150.0), STRICT, USED, 100.0)
    assert taken(step) == (State.IN_USE, Act.START_OVERLAP)
    assert step is not None
    assert step.after.retire_at == 150.0


def test_a_retired_one_cannot_be_held_up_since_it_is_a_revocation() -> None:
    retired = rotation_in(State.PREPARED, State.RETIRED, paused=True)
    assert taken(next_step(retired, RULES, SecretFacts(applied=True), 60.0)) == (State.DONE, Act.NOTHING)


def test_it_can_be_given_up_until_the_former_secret_has_ended() -> None:
    assert taken(cancel(rotation_in(), SecretFacts(), 60.0)) == (State.CANCELLED, Act.RESTORE)
    for state in (State.PREPARED, State.DELIVERED, State.IN_USE):
        assert taken(cancel(rotation_in(state), SUCCESSOR, 60.0)) == (State.ROLLED_BACK, Act.RESTORE)
        assert cancel(rotation_in(state), replace(SUCCESSOR, has_former=False), 60.0) is None
        assert cancel(rotation_in(state), SecretFacts(), 60.0) is None, "somebody made another secret"
    assert cancel(rotation_in(State.PREPARED, State.RETIRED), SUCCESSOR, 60.0) is None


def test_one_that_had_to_wait_remembers_the_expiry_that_its_secret_had() -> None:
    waited = replace(rotation_in(), former_expires_at=60.0)
    begun = next_step(waited, RULES, SecretFacts(is_successor_current=True, current_expires_at=None), 7000.0)
    assert begun is not None
    assert begun.after.former_expires_at == 60.0


@pytest.mark.parametrize("state", [state for state in State if not state.is_open])
def test_one_that_has_ended_never_moves(state: State) -> None:
    ended = rotation_in(state)
    assert next_step(ended, RULES, replace(SUCCESSOR, applied=True, successor_used=True), 1e9) is None
    assert waits_for(ended, RULES, SUCCESSOR, 1e9) is None
    assert cancel(ended, SUCCESSOR, 1e9) is None
