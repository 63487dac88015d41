"""No sequence of steps leaves a client without a secret that it can use."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from keyturn_credentials.domain.rotation import Reason, Rotation, State
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.rotation_secrets import (
    extend,
    forget_plain,
    hold,
    prepare,
    restore,
    retire,
    start_overlap,
)
from keyturn_credentials.domain.rotation_steps import Act, Facts, Step, cancel, next_step
from keyturn_credentials.domain.secrets import (
    ClientSecrets,
    Due,
    RotationPolicy,
    StoredSecret,
    due_change,
    without_plain,
)
from keyturn_shared.secret import Secret
from tests.unit.credentials.domain.rotation_scenes import POLICY, RULES, STRICT, rotation_in

NEW = StoredSecret("new", 50.0, secret=Secret("new"))
OLD = StoredSecret("old", 0.0, expires_at=1000.0)


def test_neither_secret_expires_before_the_successor_is_in_use() -> None:
    secrets = prepare(ClientSecrets(OLD), NEW, rotation_in(State.PREPARED), RULES, 50.0)
    assert secrets.current == replace(NEW, rotation="rotation-1")
    assert secrets.rotated == replace(OLD, expires_at=None)
    used = rotation_in(State.PREPARED, State.IN_USE, retire_at=5100.0)
    secrets = start_overlap(secrets, used, RULES, 5000.0)
    assert secrets.current is not None
    assert secrets.current.expires_at == 6000.0
    assert secrets.rotated is not None
    assert secrets.rotated.expires_at == 5100.0
    assert retire(secrets) == ClientSecrets(replace(NEW, expires_at=6000.0))


def test_a_former_secret_that_has_ended_is_not_revived_by_the_overlap() -> None:
    used = rotation_in(State.IN_USE, retire_at=500.0)
    secrets = ClientSecrets(NEW, replace(OLD, expires_at=200.0))
    assert start_overlap(secrets, used, RULES, 300.0).rotated is None


def test_a_pause_in_the_overlap_takes_both_ends_away() -> None:
    secrets = ClientSecrets(replace(NEW, expires_at=1050.0), replace(OLD, expires_at=150.0))
    assert hold(secrets) == ClientSecrets(NEW, replace(OLD, expires_at=None))


def test_rules_that_retire_unused_secrets_set_the_end_at_once() -> None:
    prepared = rotation_in(State.PREPARED, retire_at=150.0)
    secrets = prepare(ClientSecrets(OLD), NEW, prepared, STRICT, 50.0)
    assert secrets.current is not None
    assert secrets.current.expires_at == 1050.0
    assert secrets.rotated is not None
    assert secrets.rotated.expires_at == 150.0


def test_a_compromised_secret_has_no_overlap() -> None:
    rotation = rotation_in(State.RETIRED, reason=Reason.COMPROMISED)
    secrets = prepare(ClientSecrets(OLD, replace(OLD, digest="older")), NEW, rotation, RULES, 50.0)
    assert secrets == ClientSecrets(replace(NEW, expires_at=1050.0))


def test_an_expired_secret_does_not_become_valid_again() -> None:
    secrets = prepare(ClientSecrets(OLD), NEW, rotation_in(State.PREPARED), RULES, 1000.0)
    assert secrets.rotated is None


def test_a_rollback_leaves_the_former_secret_with_time_to_work_with() -> None:
    rotation = replace(rotation_in(State.ROLLED_BACK), former_expires_at=1000.0)
    secrets = prepare(ClientSecrets(OLD), NEW, rotation, RULES, 50.0)
    assert restore(secrets, rotation, RULES, 60.0) == ClientSecrets(OLD)
    assert restore(secrets, rotation, RULES, 2000.0) == ClientSecrets(replace(OLD, expires_at=2200.0))
    unending = replace(rotation, former_expires_at=None)
    assert restore(secrets, unending, RULES, 60.0) == ClientSecrets(replace(OLD, expires_at=None))
    without_policy = restore(secrets, rotation, RotationRules(None), 60.0)
    assert without_policy == ClientSecrets(replace(OLD, expires_at=None)), "nothing would rotate it"


@pytest.mark.parametrize("overlap", [0, 100, 500])
def test_a_secret_whose_rotation_is_given_up_outlives_the_time_without_another_one(overlap: int) -> None:
    rules = RotationRules(RotationPolicy(1000, overlap))
    for state, ends in ((State.ROLLED_BACK, None), (State.CANCELLED, 910.0)):
        rotation = replace(rotation_in(state), overlap=overlap, former_expires_at=900.0)
        secrets = ClientSecrets(replace(OLD, expires_at=ends), replace(OLD, expires_at=ends))
        restored = restore(secrets, rotation, rules, 905.0)
        assert restored.current is not None
        assert restored.current.expires_at is not None
        start_at = rules.start_at("uuid-1", restored.current.expires_at)
        assert start_at is not None
        assert start_at <= 905.0 + rules.rest_of(rotation) < restored.current.expires_at - 59


def test_one_that_is_given_up_before_it_began_leaves_the_current_secret() -> None:
    ended = replace(OLD, digest="older", expires_at=5.0)
    rotation = replace(rotation_in(State.CANCELLED), former_expires_at=1000.0)
    extended = extend(ClientSecrets(OLD, ended), rotation)
    assert restore(extended, rotation, RULES, 60.0) == ClientSecrets(OLD, ended)


def test_a_former_secret_that_has_ended_is_not_revived_by_a_rollback() -> None:
    rotation = replace(rotation_in(State.ROLLED_BACK), former_expires_at=1000.0)
    secrets = ClientSecrets(NEW, replace(OLD, expires_at=200.0))
    assert restore(secrets, rotation, RULES, 200.0) == secrets


def test_no_change_of_the_client_touches_the_secrets_of_a_rotation_under_way() -> None:
    secrets = prepare(ClientSecrets(OLD), NEW, rotation_in(State.PREPARED), RULES, 50.0)
    for policy in (POLICY, None, RotationPolicy(1)):
        assert due_change(secrets, policy, 1e9) is Due.NOTHING


def test_a_successor_is_kept_until_its_client_has_it_where_only_digests_are_stored() -> None:
    secrets = without_plain(prepare(ClientSecrets(OLD), NEW, rotation_in(State.PREPARED), RULES, 50.0))
    assert secrets.current is not None
    assert secrets.current.secret == Secret("new")
    delivered = forget_plain(secrets)
    assert delivered.current is not None
    assert delivered.current.secret is None


class RotationMachine(RuleBasedStateMachine):
    """A client that takes its new secret at some time or never, and the steps of its rotation.

    The client authenticates with the last secret that it has taken: whatever happens, that one is accepted,
    unless it was compromised.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.policy_rules = RotationRules(POLICY)
        self.secrets = ClientSecrets(OLD)
        self.rotation: Rotation | None = None
        self.held = "old"
        self.used: set[str] = {"old"}
        self.made = 0
        self.rests_until = 0.0

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        """Pass time, in steps small enough for the runner to act in."""
        for _ in range(0, seconds, 20):
            self.now += min(20, seconds)
            self._run()

    @precondition(lambda self: self.secrets.current is not None)
    @rule()
    def take(self) -> None:
        assert self.secrets.current is not None
        self.held = self.secrets.current.digest

    @rule()
    def authenticate(self) -> None:
        self.used.add(self.held)
        self._run()

    @precondition(lambda self: self.rotation is not None and self.rotation.state.is_open)
    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        assert self.rotation is not None
        self.rotation = replace(self.rotation, paused=paused)
        self._run()

    @precondition(lambda self: self.rotation is not None and self.rotation.state.is_open)
    @rule()
    def confirm(self) -> None:
        """Say that the client has it, truly or not."""
        assert self.rotation is not None
        self.rotation = replace(self.rotation, delivered=True)
        self._run()

    @precondition(lambda self: self.rotation is not None)
    @rule()
    def give_up(self) -> None:
        """Give it up, unless the client has taken the successor."""
        assert self.rotation is not None
        step = cancel(self.rotation, self._facts(self.rotation), self.now)
        current = self.secrets.current
        took = self.rotation.state is not State.PLANNED and current and current.digest == self.held
        if step is not None and not took:
            self._apply(step)
            self.rests_until = self.now + self.policy_rules.rest_of(step.after)

    @invariant()
    def the_client_is_let_in(self) -> None:
        accepted = {
            stored.digest
            for stored in (self.secrets.current, self.secrets.rotated)
            if stored is not None and stored.is_valid(self.now)
        }
        assert self.held in accepted, (self.held, self.secrets, self.rotation)

    def _run(self) -> None:
        for _ in range(5):
            self._plan()
            step = None if self.rotation is None else self._next(self.rotation)
            if step is None:
                return
            self._apply(step)

    def _plan(self) -> None:
        current = self.secrets.current
        assert current is not None
        is_open = self.rotation is not None and self.rotation.state.is_open
        if is_open or self.now < self.rests_until or current.expires_at is None:
            return
        start_at = self.policy_rules.start_at("uuid-1", current.expires_at)
        if start_at is not None and start_at <= self.now < current.expires_at:
            self.made += 1
            self.rotation = replace(
                rotation_in(),
                id=f"rotation-{self.made}",
                start_at=start_at,
                overlap=self.policy_rules.overlap,
            )

    def _next(self, rotation: Rotation) -> Step | None:
        return next_step(rotation, self.policy_rules, self._facts(rotation), self.now)

    def _facts(self, rotation: Rotation) -> Facts:
        current, former = self.secrets.current, self.secrets.rotated
        assert current is not None
        is_successor = current.rotation == rotation.id
        return Facts(
            is_successor_current=is_successor,
            current_expires_at=current.expires_at,
            applied=True,
            successor_used=is_successor and current.digest in self.used,
            has_former=former is not None and former.is_valid(self.now),
        )

    def _apply(self, step: Step) -> None:
        self.rotation = step.after
        match step.act:
            case Act.PREPARE:
                new = StoredSecret(f"secret-{self.made}", self.now)
                self.secrets = prepare(self.secrets, new, step.after, self.policy_rules, self.now)
            case Act.EXTEND:
                self.secrets = extend(self.secrets, step.after)
            case Act.START_OVERLAP:
                self.secrets = start_overlap(self.secrets, step.after, self.policy_rules, self.now)
            case Act.HOLD:
                self.secrets = hold(self.secrets)
            case Act.RETIRE:
                self.secrets = retire(self.secrets)
            case Act.RESTORE:
                self.secrets = restore(self.secrets, step.after, self.policy_rules, self.now)


class ImpatientMachine(RotationMachine):
    """The same, but former secrets end even if the new ones were not used."""

    def __init__(self) -> None:
        super().__init__()
        self.policy_rules = RotationRules(POLICY, retire_unused=True)


_SETTINGS = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRotations = RotationMachine.TestCase
TestRotations.settings = _SETTINGS


def test_without_the_wait_for_the_first_use_a_client_is_locked_out() -> None:
    quick = settings(_SETTINGS, database=None, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(ImpatientMachine, settings=quick)
