"""A lease on a clock that the test advances."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.fleet.membership import MembershipStatus, Renewal
from keyturn_shared.position import BEGINNING, Position
from keyturn_verifier.replica.lease import Lease, LeaseState

HEAD = Position(5, 100)


class Watch:
    """Elapsed seconds."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def renewed(head: Position = HEAD, *, stamp_age: float = 0.0) -> Renewal:
    return Renewal(MembershipStatus.RENEWED, head, lease_seconds=10.0, stamp_age=stamp_age)


def lease_at(watch: Watch, position: Position = HEAD, **options: Any) -> Lease:
    lease = Lease(watch, **options)
    lease.advance(position)
    return lease


def state_of(lease: Lease) -> LeaseState:
    """By a call: a type checker takes a property for the same all the time."""
    return lease.state


def test_a_lease_runs_from_before_the_renewal_was_sent(watch: Watch) -> None:
    lease = lease_at(watch)
    watch.now = 53.0
    lease.note(renewed(), asked_at=50.0, reported=HEAD)
    watch.now = 59.999
    assert state_of(lease) is LeaseState.HELD
    watch.now = 60.0
    assert state_of(lease) is LeaseState.FENCED


def test_no_lease_is_longer_than_the_node_allows(watch: Watch) -> None:
    """Its term is not signed: whoever writes to Redis could otherwise end all fencing with one number."""
    lease = lease_at(watch, longest_seconds=300.0)
    offered = replace(renewed(), lease_seconds=1e12)
    lease.note(offered, asked_at=50.0, reported=HEAD)
    assert lease.left == 300.0
    watch.now += 300.0
    assert state_of(lease) is LeaseState.FENCED


def test_the_clock_is_read_at_every_judgement(watch: Watch) -> None:
    lease = lease_at(watch)
    lease.note(renewed(), asked_at=50.0, reported=HEAD)
    assert state_of(lease) is LeaseState.HELD
    watch.now += 3600  # the process was stopped
    assert state_of(lease) is LeaseState.FENCED


def test_a_renewal_counts_once_everything_up_to_its_head_is_applied(watch: Watch) -> None:
    lease = lease_at(watch, Position(5, 98))
    lease.note(renewed(), asked_at=50.0, reported=Position(5, 98))
    assert state_of(lease) is LeaseState.FENCED
    lease.advance(Position(5, 99))
    assert state_of(lease) is LeaseState.FENCED
    lease.advance(HEAD)
    assert state_of(lease) is LeaseState.HELD
    assert lease.left == 10.0


def test_a_renewal_may_be_applied_past_before_its_answer_comes(watch: Watch) -> None:
    lease = lease_at(watch, Position(5, 120))
    lease.note(renewed(), asked_at=50.0, reported=HEAD)
    assert state_of(lease) is LeaseState.HELD


@pytest.mark.parametrize("status", [MembershipStatus.EMPTY, MembershipStatus.UNTRUSTED])
def test_an_untrusted_redis_neither_grants_nor_ends_a_lease(status: MembershipStatus, watch: Watch) -> None:
    lease = lease_at(watch)
    lease.note(Renewal(status, HEAD), asked_at=50.0, reported=HEAD)
    assert state_of(lease) is LeaseState.FENCED
    lease.note(renewed(), asked_at=50.0, reported=HEAD)
    lease.note(Renewal(status, Position(4, 1)), asked_at=55.0, reported=HEAD)
    assert lease.left == 10.0


@pytest.mark.parametrize("head", [Position(5, 99), Position(4, 5000)])
def test_a_head_behind_what_was_reported_ends_the_lease(head: Position, watch: Watch) -> None:
    lease = lease_at(watch)
    lease.note(renewed(), asked_at=50.0, reported=HEAD)
    lease.note(renewed(head), asked_at=51.0, reported=HEAD)
    assert state_of(lease) is LeaseState.FENCED


def test_a_new_epoch_ends_the_lease_and_what_was_pending(watch: Watch) -> None:
    lease = lease_at(watch)
    lease.note(renewed(), asked_at=50.0, reported=HEAD)
    lease.note(renewed(Position(5, 101)), asked_at=51.0, reported=HEAD)
    lease.advance(Position(6, 200))
    assert state_of(lease) is LeaseState.FENCED
    lease.note(renewed(Position(6, 200)), asked_at=52.0, reported=BEGINNING)
    assert state_of(lease) is LeaseState.HELD


def test_an_answer_about_another_epoch_gives_nothing(watch: Watch) -> None:
    lease = lease_at(watch)
    lease.note(renewed(Position(6, 1)), asked_at=50.0, reported=HEAD)
    lease.advance(Position(6, 1))
    assert state_of(lease) is LeaseState.FENCED


def test_a_node_that_always_lags_a_little_keeps_its_lease(watch: Watch) -> None:
    """However many renewals are pending, the earliest ones take effect."""
    lease = lease_at(watch, Position(5, 0))
    for number in range(1, 1000):
        lease.note(renewed(Position(5, number)), asked_at=watch.now, reported=Position(5, 0))
        watch.now += 0.001
    lease.advance(Position(5, 1))
    assert state_of(lease) is LeaseState.HELD


def test_max_staleness_counts_from_the_relays_last_look_at_the_database(watch: Watch) -> None:
    lease = lease_at(watch, max_staleness=12.0)
    lease.note(renewed(stamp_age=8.0), asked_at=50.0, reported=HEAD)
    assert lease.left == 4.0
    lease.note(renewed(stamp_age=20.0), asked_at=51.0, reported=HEAD)
    assert lease.left == 4.0


def test_serving_stale_is_said_and_not_taken_for_a_lease(watch: Watch) -> None:
    lease = lease_at(watch, serve_stale=True)
    assert state_of(lease) is LeaseState.STALE
    lease.note(renewed(), asked_at=50.0, reported=HEAD)
    assert state_of(lease) is LeaseState.HELD


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("apply"), st.integers(0, 5)),
            st.tuples(st.just("renew"), st.integers(0, 5)),
            st.tuples(st.just("wait"), st.integers(0, 8)),
        ),
        max_size=60,
    )
)
def test_a_lease_is_never_held_on_what_was_not_applied(steps: list[tuple[str, int]]) -> None:
    """A held lease means: a renewal younger than the lease returned a head that is applied."""
    watch = Watch()
    lease = lease_at(watch, Position(1, 0))
    applied, head = 0, 0
    grants: list[tuple[int, float]] = []
    for step, amount in steps:
        if step == "apply":
            applied = min(head, applied + amount)
            lease.advance(Position(1, applied))
        elif step == "renew":
            head += amount
            grants.append((head, watch.now + 10.0))
            lease.note(renewed(Position(1, head)), asked_at=watch.now, reported=Position(1, applied))
        else:
            watch.now += amount
        justified = any(granted <= applied and watch.now < until for granted, until in grants)
        assert (lease.state is LeaseState.HELD) <= justified


def test_nobody_has_a_lease_before_a_renewal(watch: Watch) -> None:
    watch.now = 0.0
    lease = Lease(watch)
    assert (lease.state, lease.left) == (LeaseState.FENCED, 0.0)


def test_with_max_staleness_events_that_the_relay_knows_of_cannot_be_withheld(watch: Watch) -> None:
    """A writer of Redis can cut off the log and the head, but not what the relay has signed."""
    withheld = replace(renewed(), stated_sequence=101)
    lease = lease_at(watch, max_staleness=12.0)
    lease.note(withheld, asked_at=50.0, reported=HEAD)
    assert lease.state is LeaseState.FENCED
    lease.advance(Position(5, 101))
    assert lease.left > 0.0


def test_without_max_staleness_the_head_in_redis_is_what_counts(watch: Watch) -> None:
    lease = lease_at(watch)
    lease.note(replace(renewed(), stated_sequence=101), asked_at=50.0, reported=HEAD)
    assert lease.state is LeaseState.HELD


def test_a_relay_that_looked_earlier_than_the_head_takes_nothing_away(watch: Watch) -> None:
    lease = lease_at(watch, Position(5, 99), max_staleness=12.0)
    lease.note(replace(renewed(), stated_sequence=98), asked_at=50.0, reported=Position(5, 99))
    assert lease.state is LeaseState.FENCED
    lease.advance(HEAD)
    assert lease.left > 0.0


def test_many_renewals_wait_and_the_first_of_them_are_kept(watch: Watch) -> None:
    lease = lease_at(watch, Position(5, 0))
    for number in range(1, 70):
        lease.note(renewed(Position(5, number)), asked_at=50.0 + number, reported=Position(5, 0))
    lease.advance(Position(5, 200))
    watch.now = 50.0
    assert lease.left == 64 + 10.0
