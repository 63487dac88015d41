"""The event applier: in order, once, and never over a gap without dropping everything."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.position import BEGINNING, Position
from keyturn_verifier.replica.event_applier import EventApplier
from tests.unit.verifier.replica.event_appliers import Believing, States, applier_at, event


def test_the_next_event_forgets_what_it_touches_before_the_position_moves() -> None:
    states = States()
    seen: list[list[str]] = []
    applier = EventApplier(states, Believing(), lambda _: seen.append(list(states.forgotten)))
    applier.observe(Position(1, 5))
    applier.apply(Position(1, 6), event(6))
    assert seen == [[], ["field-6"]]
    assert applier.position == Position(1, 6)


def test_what_is_known_is_ignored() -> None:
    applier, states, moves = applier_at(Position(2, 5))
    for old in (Position(2, 5), Position(2, 4), Position(1, 900)):
        applier.apply(old, event(old.sequence))
    assert (states.forgotten, states.all, moves) == ([], 0, [])


def test_a_gap_or_a_new_epoch_forgets_everything() -> None:
    applier, states, moves = applier_at(Position(2, 5))
    applier.apply(Position(2, 7), event(7))
    applier.apply(Position(3, 1), event(1))
    assert (states.all, moves) == (2, [Position(2, 7), Position(3, 1)])


def test_an_event_of_a_type_from_the_future_forgets_what_it_says_it_touches() -> None:
    applier, states, _ = applier_at(Position(2, 5))
    future = b'{"type":"client_teleported","sequence":6,"id":"x","occurred_at":0,"touches":["a"],"where":"?"}'
    applier.apply(Position(2, 6), future)
    assert (states.forgotten, states.all) == (["a"], 0)


def test_an_event_that_cannot_be_read_forgets_everything() -> None:
    applier, states, moves = applier_at(Position(2, 5))
    applier.apply(Position(2, 6), b"\xff")
    assert (states.all, moves) == (1, [Position(2, 6)])


def test_an_entry_that_is_not_signed_is_as_if_it_were_not_there() -> None:
    """The position stays before it; a genuine event after it is a gap, over which everything is dropped."""
    states, log = States(), Believing()
    applier = EventApplier(states, log, lambda _: None)
    applier.observe(Position(2, 5))
    states.all = 0
    log.forged = {Position(2, 6), Position(3, 1)}
    applier.apply(Position(2, 6), event(6))
    applier.apply(Position(3, 1), event(1))
    assert (applier.position, states.forgotten, states.all) == (Position(2, 5), [], 0)
    applier.apply(Position(2, 7), event(7))
    assert (applier.position, states.all) == (Position(2, 7), 1)


def test_it_says_what_an_event_has_changed() -> None:
    log = Believing()
    applier = EventApplier(States(), log, lambda _: None)
    applier.observe(Position(2, 5))
    applier.apply(Position(2, 6), event(6))
    assert log.floors == [("field-6", 6)]
    assert log.ids == ["6"]


def test_it_joins_a_newer_epoch_at_its_head_and_does_not_follow_an_older_one() -> None:
    applier, states, moves = applier_at(Position(2, 5))
    applier.observe(Position(1, 900))
    applier.observe(Position(2, 900))
    assert moves == []
    applier.observe(Position(3, 40))
    assert (moves, states.all) == ([Position(3, 40)], 1)


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 8)), max_size=40))
def test_whoever_brings_events_in_whatever_order_nothing_is_skipped_unforgotten(
    arrivals: list[tuple[int, int]],
) -> None:
    """The position never goes back, and every event passed over was applied or everything was dropped."""
    states = States()
    applier = EventApplier(states, Believing(), lambda _: None)
    before = BEGINNING
    for at in (Position(*arrival) for arrival in arrivals):
        forgotten, cleared = len(states.forgotten), states.all
        applier.apply(at, event(at.sequence))
        after = applier.position
        assert after >= before
        if after != before:
            applied = len(states.forgotten) == forgotten + 1 and after.follows(before)
            assert applied != (states.all == cleared + 1)
        before = after


@pytest.mark.parametrize(
    "reach",
    [
        lambda applier: applier.observe(Position(2, 5)),
        lambda applier: applier.apply(Position(2, 6), event(6)),
    ],
    ids=["by a renewal", "by an event"],
)
def test_in_a_new_epoch_everything_is_forgotten_before_anybody_is_told(
    reach: Callable[[EventApplier], None],
) -> None:
    """Anything that begins then, such as returning replay memory, therefore finds no decision on earlier
    states that would not be repeated."""
    states = States()
    forgotten_when_told: list[int] = []
    applier = EventApplier(states, Believing(), lambda _: forgotten_when_told.append(states.all))
    applier.observe(Position(1, 5))
    reach(applier)
    assert forgotten_when_told == [1, 2]


def test_it_counts_what_it_applied_and_what_it_jumped_over() -> None:
    applier, _, _ = applier_at(Position(2, 5))
    assert (applier.applied, applier.jumps) == (1, 1)
    applier.apply(Position(2, 6), event(6))
    applier.apply(Position(2, 8), event(8))
    assert (applier.applied, applier.jumps) == (3, 2)


def test_it_begins_before_every_log() -> None:
    applier = EventApplier(States(), Believing(), lambda _: None)
    assert (applier.position, applier.applied, applier.jumps) == (BEGINNING, 0, 0)
