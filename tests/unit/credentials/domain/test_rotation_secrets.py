"""No sequence of steps leaves a client without a secret that it can use, or revives one that has ended."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings

from keyturn_credentials.domain.rotation import Reason, Rotation, State
from keyturn_credentials.domain.rotation_failure import FailureCode
from keyturn_credentials.domain.rotation_frame import BOTH_ACCEPTED, Act, Step, fail
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
from keyturn_credentials.domain.rotation_steps import next_step
from keyturn_credentials.domain.secrets import (
    ClientSecrets,
    Due,
    RotationPolicy,
    StoredSecret,
    due_change,
    without_plain,
)
from keyturn_shared.secret import Secret
from tests.unit.credentials.domain.rotation_machine import RotationMachine
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
    assert retire(secrets, RULES, 5100.0) == ClientSecrets(replace(NEW, expires_at=6000.0))


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


def test_the_promise_of_an_overlap_ends_where_a_rotation_decides_about_the_secret() -> None:
    promised = replace(OLD, promised=True)
    secrets = prepare(ClientSecrets(promised), NEW, rotation_in(State.PREPARED), RULES, 50.0)
    assert secrets.rotated is not None
    assert not secrets.rotated.promised
    rotation = replace(rotation_in(State.ROLLED_BACK), former_expires_at=1000.0)
    restored = restore(ClientSecrets(NEW, promised), rotation, RULES, 60.0)
    assert restored == ClientSecrets(OLD)


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


_SETTINGS = settings(
    max_examples=int(os.environ.get("ROTATION_EXAMPLES", "80")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestRotations = RotationMachine.TestCase
TestRotations.settings = _SETTINGS


class ImpatientMachine(RotationMachine):
    """Former secrets end even if the new ones were not used."""

    def _rules(self) -> RotationRules:
        return replace(super()._rules(), retire_unused=True)


class HastyMachine(RotationMachine):
    """A secret that is restored has the expiry that it had, and no later one."""

    def _after(self, step: Step) -> ClientSecrets:
        after = super()._after(step)
        if step.act is not Act.RESTORE or after.current is None or step.after.former_expires_at is None:
            return after
        return replace(after, current=replace(after.current, expires_at=step.after.former_expires_at))


class RevivingMachine(RotationMachine):
    """Any former secret that is stored comes back."""

    def _after(self, step: Step) -> ClientSecrets:
        if step.act is Act.RESTORE and self.secrets.rotated is not None:
            return ClientSecrets(replace(self.secrets.rotated, expires_at=None))
        return super()._after(step)


class StubbornMachine(RotationMachine):
    """Rules apply to a rotation as they were when it was prepared."""

    def _next(self, rotation: Rotation) -> Step | None:
        if rotation.state is State.PLANNED:
            return super()._next(rotation)
        rules = replace(self._rules(), retire_unused=rotation.retire_at is not None)
        return next_step(rotation, rules, self._facts(rotation), self.now)


class StuckMachine(RotationMachine):
    """A rotation that was held does not go on."""

    def _next(self, rotation: Rotation) -> Step | None:
        is_held = rotation.state is State.IN_USE and rotation.retire_at is None
        return None if is_held and self._facts(rotation).has_former else super()._next(rotation)


class SecretiveMachine(RotationMachine):
    """A secret of which only a digest is stored is not shown once the former one has ended."""

    def _after(self, step: Step) -> ClientSecrets:
        after = super()._after(step)
        return forget_plain(after) if self.digests_only and step.after.state is State.RETIRED else after


class RashMachine(RotationMachine):
    """A rotation of a disabled client fails although the client may have taken its new secret."""

    def _next(self, rotation: Rotation) -> Step | None:
        if not self.enabled and rotation.state in BOTH_ACCEPTED:
            return fail(rotation, FailureCode.CLIENT_DISABLED, self.now)
        return super()._next(rotation)


class CarelessMachine(RotationMachine):
    """A rotation that fails leaves its new secret as it is."""

    def _next(self, rotation: Rotation) -> Step | None:
        step = super()._next(rotation)
        failed = step is not None and step.after.state is State.FAILED
        return replace(step, act=Act.NOTHING) if step is not None and failed else step


INVARIANTS = (
    RotationMachine.the_client_is_let_in,
    RotationMachine.one_that_failed_says_why,
    RotationMachine.what_has_ended_does_not_come_back,
    RotationMachine.somebody_can_get_the_secret,
    RotationMachine.a_secret_belongs_to_an_open_rotation_or_to_none,
    RotationMachine.an_open_one_waits_for_what_it_says,
)


def play(machine: RotationMachine, *moves: Callable[[RotationMachine], None]) -> None:
    for move in moves:
        move(machine)
        for check in INVARIANTS:
            check(machine)


def wait(seconds: int) -> Callable[[RotationMachine], None]:
    return lambda machine: machine.wait(seconds)


@pytest.mark.parametrize(
    ("mutant", "moves"),
    [
        (ImpatientMachine, [lambda it: it.choose(), wait(900), wait(200)]),
        (RashMachine, [lambda it: it.choose(), wait(850), lambda it: it.take(), lambda it: it.disable()]),
        (CarelessMachine, [lambda it: it.choose(), wait(850), lambda it: it.disable(), wait(600)]),
        (HastyMachine, [lambda it: it.choose(overlap=0), wait(1100), lambda it: it.give_up()]),
        (
            RevivingMachine,
            [
                lambda it: it.choose(),
                lambda it: it.regenerate(),
                lambda it: it.change_rules(closed=True),
                wait(1100),
                lambda it: it.give_up(),
            ],
        ),
        (
            StubbornMachine,
            [
                lambda it: it.choose(),
                lambda it: it.change_rules(strict=True),
                wait(850),
                lambda it: it.change_rules(strict=False),
                wait(200),
            ],
        ),
        (
            StuckMachine,
            [
                lambda it: it.choose(),
                wait(850),
                lambda it: it.take(),
                lambda it: it.authenticate(),
                lambda it: it.pause(True),
                lambda it: it.pause(False),
                wait(200),
            ],
        ),
        (
            SecretiveMachine,
            [lambda it: it.choose(digests_only=True), lambda it: it.compromise(), wait(100)],
        ),
    ],
)
def test_without_one_of_its_protections_the_machine_finds_a_fault(
    mutant: type[RotationMachine], moves: list[Callable[[RotationMachine], None]]
) -> None:
    play(RotationMachine(), *moves)
    with pytest.raises(AssertionError):
        play(mutant(), *moves)
