"""Partitions of used assertions."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.fleet.partitions import MAX_PARTITIONS, ONE_PARTITION, Partitioning

COUNTS = st.sets(st.integers(1, MAX_PARTITIONS), min_size=1, max_size=4).map(lambda each: tuple(sorted(each)))


@given(COUNTS)
def test_its_text_can_be_read(counts: tuple[int, ...]) -> None:
    assert Partitioning.parse(str(Partitioning(counts))) == Partitioning(counts)


@pytest.mark.parametrize(
    "text", ["", "0", "65", "-1", "1,1", "4,1", "1,2,3,4,5,6,7,8,9", "x", "1,", "1.5", ",1", "4,"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"partitions|invalid literal"):
        Partitioning.parse(text)


@given(COUNTS, st.text())
def test_an_assertion_is_in_one_partition_of_each_number(counts: tuple[int, ...], jti: str) -> None:
    partitioning = Partitioning(counts)
    numbers = partitioning.of(jti)
    assert set(numbers) <= partitioning.all
    alone = {Partitioning((count,)).of(jti)[0] for count in counts}
    assert set(numbers) == alone, "so that two nodes have a partition in common"
    assert len(numbers) == len(set(numbers))


def test_a_single_partition_is_that_of_the_log() -> None:
    assert ONE_PARTITION.of("a") == (0,)
    assert ONE_PARTITION.all == {0}
    assert Partitioning((1, 3)).all == {0, 1, 2, 3}
    assert 0 not in Partitioning((3,)).all


def test_assertions_are_spread_evenly() -> None:
    counts = Counter(Partitioning((8,)).of(f"jti-{number}")[0] for number in range(8_000))
    assert set(counts) == set(range(1, 9))
    assert all(850 < count < 1150 for count in counts.values())


def test_any_jti_has_a_partition() -> None:
    """Callers choose it, and JSON may have halves of surrogate pairs."""
    assert Partitioning((5,)).of("\ud800")[0] in range(1, 6)


def test_numbers_join_in_order() -> None:
    assert Partitioning((4,)).joined_by((1, 4, 2)) == Partitioning((1, 2, 4))
