"""Positions compare like Redis' stream ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.position import Position

positions = st.builds(Position, st.integers(0, 2**63), st.integers(0, 2**63))


@given(positions)
def test_a_position_reads_back_from_its_stream_id(position: Position) -> None:
    assert Position.parse(position.stream_id) == position
    assert Position.parse(position.stream_id.encode()) == position


@given(positions, positions)
def test_the_epoch_counts_before_the_sequence(one: Position, other: Position) -> None:
    assert (one < other) == ((one.epoch, one.sequence) < (other.epoch, other.sequence))


def test_only_the_next_sequence_of_the_same_epoch_follows() -> None:
    assert Position(2, 8).follows(Position(2, 7))
    assert not Position(2, 9).follows(Position(2, 7))
    assert not Position(3, 8).follows(Position(2, 7))


@pytest.mark.parametrize("text", ["", "5", "a-b", "5-", "-5"])
def test_what_is_no_stream_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Position.parse(text)
