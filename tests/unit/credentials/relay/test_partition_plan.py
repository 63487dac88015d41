"""The number of partitions, and its change while nodes work."""

from typing import Any

import pytest

from keyturn_credentials.relay.partition_plan import (
    Agreement,
    agreement_after,
    in_force,
    next_partitioning,
)
from keyturn_shared.fleet.partitions import KEPT, ONE_PARTITION, PARTITIONING, REMEMBERS, Partitioning
from keyturn_shared.fleet.registry import NodeRecord
from keyturn_shared.position import Position

BOTH, FOUR = Partitioning((1, 4)), Partitioning((4,))


def node(**details: Any) -> NodeRecord:
    return NodeRecord("n", 1000, 0, 1000, Position(1, 1), details)


def marking(partitioning: Partitioning, remembers: Any = 105.0) -> NodeRecord:
    return node(**{PARTITIONING: str(partitioning), REMEMBERS: remembers})


def test_without_a_change_nothing_changes() -> None:
    for agreed in (None, Agreement(ONE_PARTITION, 0.0)):
        assert next_partitioning(ONE_PARTITION, 1, agreed, 1e9) == ONE_PARTITION


def test_a_number_joins_at_once() -> None:
    assert next_partitioning(ONE_PARTITION, 4, None, 0.0) == BOTH


@pytest.mark.parametrize(
    ("agreed", "now", "after"),
    [
        (None, 1e9, BOTH),
        (Agreement(BOTH, 10.0, 105.0), 174.9, BOTH),
        (Agreement(BOTH, 10.0, 105.0), 175.0, FOUR),
        (Agreement(FOUR, 10.0, 105.0), 1e9, BOTH),
    ],
    ids=["no agreement", "too early", "remembered", "on something else"],
)
def test_the_former_number_goes_once_no_mark_is_needed_there(
    agreed: Agreement | None, now: float, after: Partitioning
) -> None:
    assert next_partitioning(BOTH, 4, agreed, now) == after


def test_a_change_that_is_taken_back_ends_where_it_began() -> None:
    assert next_partitioning(BOTH, 1, Agreement(BOTH, 0.0), 60.0) == ONE_PARTITION


def test_numbers_that_change_quickly_do_not_pile_up() -> None:
    known = Partitioning((1, 2, 3))
    assert next_partitioning(known, 8, None, 0.0) == known
    assert next_partitioning(known, 8, Agreement(known, 0.0), 60.0) == Partitioning((3,))
    assert next_partitioning(Partitioning((3,)), 8, None, 60.0) == Partitioning((3, 8))


def test_nodes_agree_once_each_says_so() -> None:
    assert agreement_after(None, BOTH, [marking(BOTH), marking(ONE_PARTITION)], 5.0) is None
    assert agreement_after(None, BOTH, [marking(BOTH), node()], 5.0) is None, "a release without partitions"
    agreed = agreement_after(None, BOTH, [marking(BOTH), marking(BOTH, 400.0)], 5.0)
    assert agreed == Agreement(BOTH, 5.0, 400.0)
    later = agreement_after(agreed, BOTH, [marking(BOTH)], 9.0)
    assert later == Agreement(BOTH, 5.0, 400.0), "one that has ended counts as well"
    assert agreement_after(later, BOTH, [marking(FOUR)], 10.0) is None
    assert agreement_after(later, FOUR, [marking(FOUR)], 11.0) == Agreement(FOUR, 11.0, 105.0)


@pytest.mark.parametrize("told", [None, "105", -1, 1e9, [], True and "x"])
def test_a_node_that_says_nothing_sensible_makes_it_wait_longest(told: Any) -> None:
    agreed = agreement_after(None, BOTH, [marking(BOTH, told)], 0.0)
    assert agreed is not None
    assert agreed.remembered == 100_000.0


def test_everything_that_may_have_been_used_is_in_force() -> None:
    assert in_force(ONE_PARTITION, None, []) == ONE_PARTITION
    assert in_force(ONE_PARTITION, FOUR, []) == BOTH, "the database was restored"
    kept = node(**{KEPT: "4,8"})
    assert in_force(ONE_PARTITION, None, [kept]) == Partitioning((1, 4, 8)), "so was Redis lost"


@pytest.mark.parametrize("told", ["x", 4, None, ["4"], "1,2,3,4,5,6,7", "9" * 5000])
def test_nonsense_of_a_node_is_left_out(told: Any) -> None:
    assert in_force(ONE_PARTITION, None, [node(**{KEPT: told})]) == ONE_PARTITION
