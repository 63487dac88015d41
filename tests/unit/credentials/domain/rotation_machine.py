"""A client and the rotations of its secret, with whatever people do to them."""

from collections.abc import Set
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from keyturn_credentials.domain.rotation import Reason, Rotation, State, WaitsFor
from keyturn_credentials.domain.rotation_frame import Step, pause, waits_for
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.rotation_secrets import is_undelivered, secrets_after
from keyturn_credentials.domain.rotation_steps import SecretFacts, cancel, confirm, next_step
from keyturn_credentials.domain.rotation_window import Window
from keyturn_credentials.domain.secrets import (
    ClientSecrets,
    RotationPolicy,
    StoredSecret,
    make_current,
    without_plain,
)
from keyturn_shared.secret import Secret
from tests.unit.credentials.domain.rotation_scenes import rotation_in

INTERFERENCE = (
    *("rules", "pause", "confirm", "cancel", "compromise", "regenerate", "revoke", "nodes"),
    *("disable", "authenticator"),
)
ALL = frozenset(INTERFERENCE)
_MOST_STEPS = 8
_CLOSED = Window.parse("22:00-23:00", "window")
"""Closed in the first hours of the epoch."""


class RotationMachine(RuleBasedStateMachine):
    """A client that takes its new secret at some time or never.

    It authenticates with the last secret that it has taken: whatever happens, that one is accepted, unless
    somebody ended it by hand or the rules did not wait for the client. ``excused``: one of these happened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.policy_rules = RotationRules(None)
        self.digests_only = False
        self.interferes: Set[str] = ALL
        self.secrets = ClientSecrets(StoredSecret("old", 0.0, expires_at=1000.0, secret=Secret("old")))
        self.rotation: Rotation | None = None
        self.applied = True
        self.held = "old"
        self.excused = False
        self.taken = {"old"}
        self.used = {"old"}
        self.ended: set[str] = set()
        self.accepted_before = {"old"}
        self.made = 0
        self.rests_until = 0.0
        self.enabled = True
        self.needs_secret = True

    @initialize(
        overlap=st.sampled_from([0, 100, 500, 1000]),
        remaining=st.sampled_from([0, 200, 900]),
        digests_only=st.booleans(),
        interferes=st.sets(st.sampled_from(INTERFERENCE), max_size=2),
    )
    def choose(
        self, overlap: int = 100, remaining: int = 200, digests_only: bool = False, interferes: Set[str] = ALL
    ) -> None:
        """``interferes``: what people do; in one run not everything, since most of it ends a rotation."""
        self.policy_rules = RotationRules(RotationPolicy(1000, overlap, remaining), disabled_limit=500)
        self.digests_only = digests_only
        self.interferes = interferes

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        """Pass time, in steps small enough for the runner to act in."""
        for _ in range(0, seconds, 20):
            self.now += min(20, seconds)
            self._run()

    @precondition(lambda self: self.is_let_in and self.secrets.current.secret is not None)
    @rule()
    def take(self) -> None:
        """Take the newest secret, as a client does by itself."""
        if self.is_open and self._current.rotation == self._open.id:
            self.rotation = replace(self._open, self_service=True)
        self.held = self._current.digest
        self.taken.add(self.held)
        self.excused = not self._current.is_valid(self.now)

    @precondition(lambda self: self.is_let_in)
    @rule()
    def authenticate(self) -> None:
        self.used.add(self.held)
        self._run()

    @precondition(lambda self: "nodes" in self.interferes)
    @rule(applied=st.booleans())
    def reach_nodes(self, applied: bool) -> None:
        self.applied = applied
        self._run()

    @precondition(lambda self: "disable" in self.interferes)
    @rule(enabled=st.booleans())
    def disable(self, enabled: bool = False) -> None:
        self.enabled = enabled
        self._run()

    @precondition(lambda self: "authenticator" in self.interferes)
    @rule(needs_secret=st.booleans())
    def change_authenticator(self, needs_secret: bool = False) -> None:
        """Let the client authenticate with something else than its secret, which then expires, or not."""
        self.needs_secret = needs_secret
        self.excused |= not needs_secret
        self._run()

    @precondition(lambda self: "rules" in self.interferes)
    @rule(
        strict=st.booleans(),
        closed=st.booleans(),
        automatic=st.sampled_from([True, True, True, False]),
        expiration=st.sampled_from([1000, 300]),
    )
    def change_rules(
        self, strict: bool = False, closed: bool = False, automatic: bool = True, expiration: int = 1000
    ) -> None:
        assert self.policy_rules.policy is not None
        overlap = min(self.policy_rules.policy.rotated_expiration, expiration)
        self.policy_rules = replace(
            self.policy_rules, policy=RotationPolicy(expiration, overlap, min(200, expiration))
        )
        window = _CLOSED if closed else None
        self.policy_rules = replace(
            self.policy_rules, retire_unused=strict, window=window, automatic=automatic
        )
        self._run()

    @precondition(lambda self: "pause" in self.interferes and self.is_open)
    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        rotation = self._open
        step = pause(rotation, self._rules()) if paused else Step(replace(rotation, paused=False))
        self._take(step)

    @precondition(lambda self: "confirm" in self.interferes and self.is_open)
    @rule()
    def confirm(self) -> None:
        """Say that the client has it, truly or not."""
        step = confirm(self._open, self._facts(self._open))
        if step is not None:
            self.taken.add(self._current.digest)
        self._take(step)

    @precondition(lambda self: "cancel" in self.interferes and self.is_open)
    @rule()
    def give_up(self) -> None:
        """Give it up, unless the client has taken the successor."""
        rotation = self._open
        if rotation.state is not State.PLANNED and self._current.digest == self.held:
            return
        step = cancel(rotation, self._facts(rotation), self.now)
        if step is not None:
            self.rests_until = self.now + self._rules().rest_of(step.after)
        self._take(step)

    @precondition(lambda self: not self.is_open)
    @rule()
    def start(self) -> None:
        self._begin(Reason.MANUAL, self.now)

    @precondition(lambda self: "compromise" in self.interferes)
    @rule()
    def compromise(self) -> None:
        self.excused = True
        if self.is_open:
            self.rotation = self._open.moved(State.SUPERSEDED, self.now)
        self._begin(Reason.COMPROMISED, self.now)
        assert self._accepted() == {self._current.digest}, "the former one ends with the call"

    @precondition(lambda self: "regenerate" in self.interferes)
    @rule()
    def regenerate(self) -> None:
        """Make a secret by hand, which the caller is shown."""
        new = self._make()
        self.secrets = make_current(self.secrets, new, self._rules().policy, self.now)
        if self.digests_only:
            self.secrets = without_plain(self.secrets)
        self.held = new.digest
        self.taken.add(new.digest)
        self.excused = False
        self._run()

    @precondition(lambda self: "revoke" in self.interferes and self.secrets.rotated is not None)
    @rule()
    def revoke_former(self) -> None:
        self.excused = True
        self.secrets = replace(self.secrets, rotated=None)
        self._run()

    @invariant()
    def the_client_is_let_in(self) -> None:
        if self.held in self._accepted():
            return
        self.excused |= self.policy_rules.retire_unused or not self.policy_rules.automatic
        assert self.excused, (self.held, self.secrets, self.rotation)

    @invariant()
    def one_that_failed_says_why(self) -> None:
        if self.rotation is not None:
            assert (self.rotation.state is State.FAILED) is (self.rotation.failure is not None)

    @invariant()
    def what_has_ended_does_not_come_back(self) -> None:
        accepted = self._accepted()
        self.ended |= self.accepted_before - accepted
        self.accepted_before = accepted
        assert not accepted & self.ended, (self.secrets, self.rotation)

    @invariant()
    def somebody_can_get_the_secret(self) -> None:
        current = self._current
        assert current.secret is not None or current.digest in self.taken, (self.secrets, self.rotation)

    @invariant()
    def a_secret_belongs_to_an_open_rotation_or_to_none(self) -> None:
        for stored in (self.secrets.current, self.secrets.rotated):
            if stored is not None and stored.rotation is not None:
                assert self.is_open, (self.secrets, self.rotation)
                assert stored.rotation == self._open.id, (self.secrets, self.rotation)

    @invariant()
    def an_open_one_waits_for_what_it_says(self) -> None:
        if not self.is_open:
            return
        rotation, facts = self._open, self._facts(self._open)
        match waits_for(rotation, self._rules(), facts, self.now):
            case WaitsFor.PERSON:
                waits = rotation.paused
            case WaitsFor.WINDOW:
                waits = self.policy_rules.window is not None
            case WaitsFor.NODES:
                waits = not self.applied
            case WaitsFor.DELIVERY | WaitsFor.USE:
                waits = facts.is_successor_current and not facts.successor_used
            case WaitsFor.OVERLAP:
                waits = rotation.retire_at is not None and self.now < rotation.retire_at
            case _:
                waits = False
        assert waits, (self.secrets, rotation)

    @property
    def is_let_in(self) -> bool:
        return self.enabled and self.needs_secret

    @property
    def is_open(self) -> bool:
        return self.rotation is not None and self.rotation.state.is_open

    @property
    def _open(self) -> Rotation:
        assert self.rotation is not None
        return self.rotation

    @property
    def _current(self) -> StoredSecret:
        assert self.secrets.current is not None
        return self.secrets.current

    def _accepted(self) -> set[str]:
        known = (self.secrets.current, self.secrets.rotated)
        return {stored.digest for stored in known if stored is not None and stored.is_valid(self.now)}

    def _rules(self) -> RotationRules:
        return self.policy_rules

    def _run(self) -> None:
        for _ in range(_MOST_STEPS):
            self._plan()
            step = None if self.rotation is None else self._next(self.rotation)
            if step is None:
                return
            self._apply(step)
        raise AssertionError(f"it never waits: {self.secrets}, {self.rotation}")

    def _plan(self) -> None:
        ends = self._current.expires_at
        if self.is_open or self.now < self.rests_until or ends is None or not self.needs_secret:
            return
        start_at = self._rules().start_at("uuid-1", ends)
        if start_at is not None and start_at <= self.now < ends:
            self.rotation = self._planned(Reason.POLICY, start_at)

    def _begin(self, reason: Reason, start_at: float) -> None:
        self.rotation = self._planned(reason, start_at)
        step = self._next(self.rotation)
        assert step is not None
        self._apply(step)
        self._run()

    def _planned(self, reason: Reason, start_at: float) -> Rotation:
        self.made += 1
        return replace(
            rotation_in(),
            id=f"rotation-{self.made}",
            reason=reason,
            start_at=start_at,
            overlap=self._rules().overlap,
        )

    def _next(self, rotation: Rotation) -> Step | None:
        return next_step(rotation, self._rules(), self._facts(rotation), self.now)

    def _facts(self, rotation: Rotation) -> SecretFacts:
        current, former = self._current, self.secrets.rotated
        is_successor = current.rotation == rotation.id
        return SecretFacts(
            is_successor_current=is_successor,
            is_undelivered=self.digests_only and is_undelivered(self.secrets, rotation),
            current_expires_at=current.expires_at,
            applied=self.applied,
            successor_used=is_successor and current.digest in self.used,
            has_former=former is not None and former.is_valid(self.now),
            needs_secret=self.needs_secret,
            is_enabled=self.enabled,
        )

    def _take(self, step: Step | None) -> None:
        if step is not None:
            self._apply(step)
            self._run()

    def _apply(self, step: Step) -> None:
        self.rotation = step.after
        if step.after.state is State.FAILED:
            self.rests_until = self.now + self._rules().rest_of(step.after)
        self.secrets = self._after(step)

    def _after(self, step: Step) -> ClientSecrets:
        return secrets_after(
            self.secrets, step, self._rules(), self.now, make=self._make, digests_only=self.digests_only
        )

    def _make(self) -> StoredSecret:
        self.made += 1
        name = f"secret-{self.made}"
        return StoredSecret(name, self.now, secret=Secret(name))
