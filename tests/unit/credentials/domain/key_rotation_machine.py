"""A client that rotates its key, registered or published, with whatever people do meanwhile."""

from collections.abc import Set
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from keyturn_credentials.domain.key_rotation_steps import (
    KeyFacts,
    cancel_key,
    keys_in,
    next_key_step,
    prepare,
)
from keyturn_credentials.domain.rotation import Kind, Reason, RotatedKeys, Rotation, State, WaitsFor
from keyturn_credentials.domain.rotation_frame import Act, Step, pause, waits_for
from keyturn_credentials.domain.rotation_rules import KeyPolicy, RotationRules
from tests.unit.credentials.domain.rotation_scenes import rotation_in

_MOST_STEPS = 8
INTERFERENCE = (
    *("rules", "pause", "cancel", "compromise", "nodes", "redis", "withdraw"),
    *("disable", "authenticator", "revoke"),
)


class KeyRotationMachine(RuleBasedStateMachine):
    """A client that signs with the newest key that it has tried, and makes the next one some time or never.

    The key that it signs with is accepted as long as it has not withdrawn it itself, nobody said that it is
    compromised, and the rules wait for the client: ``excused`` says when not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.published = False
        self.policy_rules = RotationRules(None, keys=KeyPolicy(period=1000, overlap=100), disabled_limit=500)
        self.interferes: Set[str] = frozenset(INTERFERENCE)
        self.present = {"key-0"}
        self.revoked: set[str] = set()
        self.held = "key-0"
        self.next: str | None = None
        self.used: set[str] = set()
        self.since = 0.0
        self.rotation: Rotation | None = None
        self.applied = True
        self.redis = True
        self.excused = False
        self.made = 0
        self.enabled = True
        self.uses_keys = True

    @initialize(
        published=st.booleans(),
        revokes=st.booleans(),
        interferes=st.sets(st.sampled_from(INTERFERENCE), max_size=2),
    )
    def choose(
        self,
        published: bool = False,
        revokes: bool = False,
        interferes: Set[str] = frozenset(INTERFERENCE),
    ) -> None:
        self.published = published
        self.policy_rules = replace(
            self.policy_rules, keys=replace(self.policy_rules.keys, revoke_former=revokes)
        )
        self.interferes = interferes

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        for _ in range(0, seconds, 20):
            self.now += min(20, seconds)
            self._run()

    @precondition(lambda self: self.is_let_in and self.next is None and len(self.present) < 3)
    @rule()
    def make_next_key(self) -> None:
        """Publish the next key, or register it if the service lets the client."""
        self.made += 1
        name = f"key-{self.made}"
        if self.published:
            self.present.add(name)
            self.next = name
        elif self._registers(name):
            self.next = name
        self._run()

    @precondition(lambda self: self.is_let_in and self.next is not None)
    @rule()
    def use_next_key(self) -> None:
        """Sign with the next key; a client goes back to the one that it had if that is refused."""
        assert self.next is not None
        if self.next in self._accepted():
            self.held = self.next
            self.used.add(self.held)
        self.next = None
        self._run()

    @precondition(lambda self: self.published and len(self.present) > 1)
    @rule()
    def publish_only_what_is_used(self) -> None:
        """End a rotation as a good client does. What was used is published, so no other one is."""
        if self.next is None:
            self.present = {self.held}
        self._run()

    @precondition(lambda self: "withdraw" in self.interferes and self.published)
    @rule()
    def withdraw_everything(self) -> None:
        """A mistake of the client's."""
        self.present = set()
        self.excused = True
        self._run()

    @precondition(lambda self: "nodes" in self.interferes)
    @rule(applied=st.booleans())
    def reach_nodes(self, applied: bool) -> None:
        self.applied = applied
        self._run()

    @precondition(lambda self: "redis" in self.interferes)
    @rule(redis=st.booleans())
    def reach_redis(self, redis: bool) -> None:
        self.redis = redis
        self._run()

    @precondition(lambda self: "disable" in self.interferes)
    @rule(enabled=st.booleans())
    def disable(self, enabled: bool = False) -> None:
        self.enabled = enabled
        self._run()

    @precondition(lambda self: "authenticator" in self.interferes)
    @rule(uses_keys=st.booleans())
    def change_authenticator(self, uses_keys: bool = False) -> None:
        self.uses_keys = uses_keys
        self._run()

    @precondition(lambda self: "revoke" in self.interferes and self.is_open)
    @rule()
    def revoke_successor(self) -> None:
        """Say that the next key is known to others."""
        self.excused |= self.held in keys_in(self._open).successors
        self.revoked |= set(keys_in(self._open).successors)
        self._run()

    @precondition(lambda self: "rules" in self.interferes)
    @rule(strict=st.booleans(), automatic=st.booleans(), overlap=st.sampled_from([0, 100, 600]))
    def change_rules(self, strict: bool = False, automatic: bool = True, overlap: int = 100) -> None:
        self.policy_rules = replace(
            self.policy_rules,
            retire_unused=strict,
            automatic=automatic,
            keys=replace(self.policy_rules.keys, overlap=overlap),
        )
        self._run()

    @precondition(lambda self: "pause" in self.interferes and self.is_open)
    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        step = pause(self._open, self._rules()) if paused else Step(replace(self._open, paused=False))
        self._take(step)

    @precondition(lambda self: "cancel" in self.interferes and self.is_open)
    @rule()
    def give_up(self) -> None:
        """Give it up, unless the client has the successor already and registered keys would end it."""
        if not self.published and self.held in keys_in(self._open).successors:
            return
        self._take(cancel_key(self._open, self._facts(self._open), self.now))

    @precondition(lambda self: self.uses_keys and not self.is_open)
    @rule()
    def start(self) -> None:
        self._begin(Reason.MANUAL)

    @precondition(lambda self: "compromise" in self.interferes and self.uses_keys and bool(self._accepted()))
    @rule()
    def compromise(self) -> None:
        """Say that whatever the client has is known to others; one that registers keys is given a new one."""
        self.excused = True
        self._begin(Reason.COMPROMISED)
        ended = tuple(sorted(self._accepted()))
        retired = replace(self._open, keys=replace(keys_in(self._open), former=ended))
        self._apply(Step(retired.moved(State.RETIRED, self.now), Act.REVOKE_FORMER))
        assert not self._accepted()
        if not self.published:
            self.made += 1
            self.held = f"key-{self.made}"
            self.present = {self.held}
            self.excused = False
        self.next = None
        self._run()

    @invariant()
    def the_client_is_let_in(self) -> None:
        if self.held not in self._accepted():
            self.excused |= self.policy_rules.retire_unused
            assert self.excused, (self.held, self.present, self.rotation)

    @invariant()
    def one_that_failed_says_why(self) -> None:
        if self.rotation is not None:
            assert (self.rotation.state is State.FAILED) is (self.rotation.failure is not None)

    @invariant()
    def a_rotation_that_is_done_left_no_former_key(self) -> None:
        rotation = self.rotation
        if rotation is not None and rotation.state is State.DONE and rotation.state_since == self.now:
            former = set(keys_in(rotation).former or ())
            assert not former & self._accepted(), (self.present, rotation)

    @invariant()
    def an_open_one_waits_for_what_it_says(self) -> None:
        if not self.is_open:
            return
        rotation, facts = self._open, self._facts(self._open)
        match waits_for(rotation, self._rules(), facts, self.now):
            case WaitsFor.PERSON:
                waits = rotation.paused
            case WaitsFor.NODES:
                waits = not self.applied
            case WaitsFor.SUCCESSOR:
                new = self._accepted() - set(keys_in(rotation).former or ())
                waits = not (new and keys_in(rotation).former is not None) or not self.redis
            case WaitsFor.USE:
                waits = not self.used & set(keys_in(rotation).successors) or not self.redis
            case WaitsFor.OVERLAP:
                waits = rotation.retire_at is not None and self.now < rotation.retire_at
                waits |= not self.redis and self.published
            case WaitsFor.WITHDRAWAL:
                waits = bool(set(keys_in(rotation).former or ()) & self._accepted()) or not self.redis
            case _:
                waits = not self.redis and self.published
        assert waits, (self.present, rotation)

    @property
    def is_let_in(self) -> bool:
        return self.enabled and self.uses_keys

    @property
    def is_open(self) -> bool:
        return self.rotation is not None and self.rotation.state.is_open

    @property
    def _open(self) -> Rotation:
        assert self.rotation is not None
        return self.rotation

    def _accepted(self) -> set[str]:
        return self.present - self.revoked

    def _rules(self) -> RotationRules:
        return self.policy_rules

    def _run(self) -> None:
        for _ in range(_MOST_STEPS):
            self._plan()
            step = None if self.rotation is None else self._next(self.rotation)
            if step is None:
                return
            self._apply(step)
        raise AssertionError(f"it never waits: {self.present}, {self.rotation}")

    def _plan(self) -> None:
        start_at = self._rules().key_start_at("uuid-1", self.since)
        if self.uses_keys and not self.is_open and start_at is not None and start_at <= self.now:
            self._begin_planned(Reason.POLICY, RotatedKeys(published=self.published))

    def _begin(self, reason: Reason) -> None:
        former = None if self.published and not self.redis else tuple(sorted(self._accepted()))
        self._begin_planned(reason, RotatedKeys(former, published=self.published))
        if reason is Reason.MANUAL:
            self._run()

    def _begin_planned(self, reason: Reason, keys: RotatedKeys) -> None:
        planned = rotation_in(reason=reason, start_at=self.now)
        self.rotation = replace(planned, kind=Kind.KEY, keys=keys, created_at=self.now)
        self.used.discard(self.held)

    def _registers(self, name: str) -> bool:
        """Do as the service does when the client registers a key."""
        if not self.is_open:
            self._begin_planned(Reason.CLIENT, RotatedKeys(tuple(sorted(self._accepted()))))
        rotation = self._open
        if rotation.state not in (State.PLANNED, State.PREPARED):
            return False
        keys = keys_in(rotation)
        if keys.former is None:
            rotation = replace(rotation, keys=replace(keys, former=tuple(sorted(self._accepted()))))
        if self.held in keys.successors:
            return False
        self.present -= set(keys.successors)
        self.present.add(name)
        self.rotation = prepare(rotation, self._rules(), frozenset({name}), self.now)
        return True

    def _next(self, rotation: Rotation) -> Step | None:
        return next_key_step(rotation, self._rules(), self._facts(rotation), self.now)

    def _facts(self, rotation: Rotation) -> KeyFacts:
        known = self.redis or not self.published
        return KeyFacts(
            published=self.published,
            accepted=frozenset(self._accepted()) if known else None,
            used=frozenset(self.used & set(keys_in(rotation).successors)) if self.redis else frozenset(),
            keys_since=self.since,
            applied=self.applied,
            revoked=frozenset(self.revoked),
            uses_keys=self.uses_keys,
            is_enabled=self.enabled,
        )

    def _take(self, step: Step | None) -> None:
        if step is not None:
            self._apply(step)
            self._run()

    def _apply(self, step: Step) -> None:
        self.rotation = step.after
        keys = keys_in(step.after)
        match step.act:
            case Act.REMOVE_FORMER:
                self.present -= set(keys.former or ())
            case Act.REVOKE_FORMER:
                self.revoked |= set(keys.former or ())
            case Act.REMOVE_SUCCESSORS:
                self.present -= set(keys.successors)
                self.next = None
            case _:
                pass
        if step.after.state in (State.DONE, State.CANCELLED, State.ROLLED_BACK, State.FAILED):
            self.since = self.now
