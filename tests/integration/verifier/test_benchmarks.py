"""Small runs of a node's benchmarks: they work, and compare what they claim to."""

from benchmarks.verifier import memory, timing


def test_timing_compares_every_pair_of_refusals() -> None:
    compared = timing.measure(requests=20)
    assert [(each.first, each.second) for each in compared] == list(timing.PAIRS)
    assert all(0 <= each.auc <= 1 and each.first_median > 0 for each in compared)


def test_equal_times_tell_nothing_and_longer_ones_everything() -> None:
    taken = {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0], "c": [7.0, 8.0]}
    assert timing.compare("a", "b", taken).auc == 0.5
    assert timing.compare("a", "c", taken).auc == 1.0
    assert timing.compare("c", "a", taken).auc == 0.0


def test_memory_is_that_of_a_node_with_all_clients_at_hand() -> None:
    measured = memory.measure("private_key_jwt", 150)
    assert measured.cached >= 150
    assert 0 < measured.empty_mib <= measured.full_mib < 400
