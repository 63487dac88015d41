"""Findings about partitions follow from what the relay, nodes and each Redis say."""

import pytest

from keyturn.doctor.partitions_judgement import (
    LostShard,
    PartitionLook,
    judge_lost,
    judge_nodes,
    judge_number,
    judge_partitions,
    summary_of,
)
from keyturn_shared.fleet.claimants import ClaimantsView
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.registry import NodeRecord, RegistryView
from keyturn_shared.position import Position

_NOW = 1_000_000
_FOUR = Partitioning((4,))
_RUN_ID = "this-process"


def head(*, epoch: int = 7, barrier: int = 0, vouched: str = _RUN_ID) -> Head:
    fields = {"epoch": str(epoch), "vouched": vouched, "replay_barrier": str(barrier)}
    found = Head.from_hash(fields, _RUN_ID)
    assert found is not None
    return found


def look(
    partition: int, of: Head | None, *, epoch: int | None = 7, awaited: tuple[str, ...] = ()
) -> PartitionLook:
    view = ClaimantsView(_NOW, _RUN_ID, of, {"there": False} | dict.fromkeys(awaited, True), ())
    return PartitionLook(partition, epoch, view)


def found_by(*looks: PartitionLook) -> list[tuple[str, str]]:
    return [(finding.code, finding.found) for finding in judge_partitions(looks)]


def nodes_with(details: dict[str, object], *, expires: int = _NOW) -> list[str]:
    node = NodeRecord("node-1", expires, _NOW, 11_000, Position(1, 1), details)
    view = RegistryView(_NOW, None, (node,), None)
    return [finding.code for finding in judge_nodes(view, _FOUR)]


@pytest.mark.parametrize("counts", [(4,), (1, 4), (4, 8)])
def test_a_number_that_is_in_force_or_comes_into_force_is_right(counts: tuple[int, ...]) -> None:
    assert list(judge_number(4, Partitioning(counts))) == []


def test_another_number_is_found_with_both() -> None:
    (finding,) = judge_number(8, Partitioning((1, 4)))
    assert finding.code == "partitions_differ"
    assert "KEYTURN_PARTITIONS is 8" in finding.found
    assert "1,4" in finding.found


@pytest.mark.parametrize("reported", ["4", "1,4", "2,4,8"])
def test_a_node_uses_at_least_what_was_stated(reported: str) -> None:
    assert nodes_with({"partitioning": reported}) == []


@pytest.mark.parametrize("details", [{}, {"partitioning": "1"}, {"partitioning": 4}, {"partitioning": "x"}])
def test_a_node_that_uses_others_is_found(details: dict[str, object]) -> None:
    assert nodes_with(details) == ["node_other_partitions"]


def test_a_node_without_a_lease_is_the_fleets_matter() -> None:
    assert nodes_with({}, expires=_NOW - 1) == []


def test_a_partition_that_is_vouched_for_has_no_finding() -> None:
    assert found_by(look(1, head()), look(2, head(barrier=_NOW))) == []


def test_partitions_that_nobody_vouches_for_are_one_finding() -> None:
    lost = look(1, None), look(2, head(vouched="another")), look(3, head(epoch=6)), look(4, head())
    assert found_by(*lost) == [("partition_not_vouched", "partitions 1, 2, 3")]


def test_the_epoch_of_the_event_log_is_judged_elsewhere() -> None:
    assert found_by(look(0, head(epoch=99), epoch=None)) == []


def test_what_a_partition_waits_for_is_named_unless_its_barrier_is_ahead() -> None:
    many = tuple(f"node-{number:02}" for number in range(12))
    waiting = look(1, head(barrier=_NOW - 5), awaited=many)
    ahead = look(2, head(barrier=_NOW + 7_200_000), awaited=("a",))
    ((first, told_first), (second, told_second)) = found_by(waiting, ahead)
    assert (first, second) == ("partition_barrier_ahead", "partition_memory_awaited")
    assert told_first == "partition 2: the barrier is 2 hours ahead of its clock"
    assert told_second.startswith("partition 1 waits for the memory of node-00, node-01")
    assert told_second.endswith("node-09 and 2 more")


def test_a_server_that_is_away_is_named_with_its_partitions() -> None:
    told = [each.found for each in judge_lost([LostShard((5, 1), "10.0.0.7:6379", "refused")])]
    assert told == ["partitions 1, 5 at 10.0.0.7:6379: refused"]
    (single,) = judge_lost([LostShard((3,), "", "refused")])
    assert single.found == "partition 3: refused"


def test_the_summary_says_whether_the_number_changes() -> None:
    counts = ((1,), (4,), (1, 4))
    assert [summary_of(Partitioning(each)) for each in counts] == [
        "one, with the event log",
        "4 partitions",
        "1 and 4 partitions: changing",
    ]
