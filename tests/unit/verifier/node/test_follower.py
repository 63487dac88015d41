"""The follower: in order, once, and never over a gap without forgetting."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.events import ClientUpdated, encode_event
from keyturn_shared.position import BEGINNING, Position
from keyturn_verifier.node.follower import Follower


class States:
    """Knows for each field the newest sequence it was forgotten at."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []
        self.all = 0

    def forget(self, fields: Iterable[str]) -> None:
        self.forgotten += fields

    def forget_all(self) -> None:
        self.all += 1


def event(sequence: int) -> bytes:
    return encode_event(
        ClientUpdated(
            sequence=sequence,
            id=str(sequence),
            occurred_at=0,
            touches=(f"field-{sequence}",),
            realm_id="r",
            realm="r",
            client_uuid="c",
            client_id="c",
        )
    )


def follower_at(position: Position) -> tuple[Follower, States, list[Position]]:
    states, moves = States(), list[Position]()
    follower = Follower(states, moves.append)
    follower.observe(position)
    moves.clear()
    states.all = 0
    return follower, states, moves


def test_the_next_event_forgets_what_it_touches_before_the_position_moves() -> None:
    states = States()
    seen: list[list[str]] = []
    follower = Follower(states, lambda _: seen.append(list(states.forgotten)))
    follower.observe(Position(1, 5))
    follower.apply(Position(1, 6), event(6))
    assert seen == [[], ["field-6"]]
    assert follower.position == Position(1, 6)


def test_what_is_known_is_ignored() -> None:
    follower, states, moves = follower_at(Position(2, 5))
    for old in (Position(2, 5), Position(2, 4), Position(1, 900)):
        follower.apply(old, event(old.sequence))
    assert (states.forgotten, states.all, moves) == ([], 0, [])


def test_a_gap_or_a_new_epoch_forgets_everything() -> None:
    follower, states, moves = follower_at(Position(2, 5))
    follower.apply(Position(2, 7), event(7))
    follower.apply(Position(3, 1), event(1))
    assert (states.all, moves) == (2, [Position(2, 7), Position(3, 1)])


def test_an_event_of_a_type_from_the_future_forgets_what_it_says_it_touches() -> None:
    follower, states, _ = follower_at(Position(2, 5))
    future = b'{"type":"client_teleported","sequence":6,"id":"x","occurred_at":0,"touches":["a"],"where":"?"}'
    follower.apply(Position(2, 6), future)
    assert (states.forgotten, states.all) == (["a"], 0)


def test_an_event_that_cannot_be_read_forgets_everything() -> None:
    follower, states, moves = follower_at(Position(2, 5))
    follower.apply(Position(2, 6), b"\xff")
    assert (states.all, moves) == (1, [Position(2, 6)])


def test_it_joins_a_newer_epoch_at_its_head_and_does_not_follow_an_older_one() -> None:
    follower, states, moves = follower_at(Position(2, 5))
    follower.observe(Position(1, 900))
    follower.observe(Position(2, 900))
    assert moves == []
    follower.observe(Position(3, 40))
    assert (moves, states.all) == ([Position(3, 40)], 1)


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 8)), max_size=40))
def test_whoever_brings_events_in_whatever_order_nothing_is_skipped_unforgotten(
    arrivals: list[tuple[int, int]],
) -> None:
    """The position never goes back, and every event passed over was applied or everything was forgotten."""
    states = States()
    follower = Follower(states, lambda _: None)
    before = BEGINNING
    for at in (Position(*arrival) for arrival in arrivals):
        forgotten, cleared = len(states.forgotten), states.all
        follower.apply(at, event(at.sequence))
        after = follower.position
        assert after >= before
        if after != before:
            applied = len(states.forgotten) == forgotten + 1 and after.follows(before)
            assert applied != (states.all == cleared + 1)
        before = after
