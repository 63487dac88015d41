"""Unsuitable settings of Redis."""

import pytest

from keyturn_credentials.relay.redis_settings import SETTINGS_READ, shortcomings

GOOD = {
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "min-replicas-to-write": "1",
    "min-replicas-max-lag": "2",
    "appendonly": "yes",
}


def wrong(*, replicated: bool, replicas: int = 2, **changes: str) -> list[str]:
    found = GOOD | {name.replace("_", "-"): value for name, value in changes.items()}
    return [
        each.setting
        for each in shortcomings(found, replicated=replicated, lease_seconds=10, replicas=replicas)
    ]


@pytest.mark.parametrize("replicated", [False, True])
def test_nothing_is_wrong_with_good_settings(replicated: bool) -> None:
    assert wrong(replicated=replicated) == []
    assert GOOD.keys() == set(SETTINGS_READ)


def test_memory_that_is_limited_must_not_be_freed_by_eviction() -> None:
    assert wrong(replicated=False, maxmemory="1000", maxmemory_policy="allkeys-lru") == ["maxmemory-policy"]
    assert wrong(replicated=False, maxmemory="1000", maxmemory_policy="noeviction") == []
    assert wrong(replicated=False, maxmemory="0", maxmemory_policy="allkeys-lru") == []


def test_where_it_is_hidden_whether_memory_is_limited_eviction_is_reported_with_that_doubt() -> None:
    found = {name: value for name, value in GOOD.items() if name != "maxmemory"}
    assert shortcomings(found, replicated=False, lease_seconds=10) == []
    evicting = found | {"maxmemory-policy": "allkeys-lru"}
    (doubtful,) = shortcomings(evicting, replicated=False, lease_seconds=10)
    (certain,) = shortcomings(evicting | {"maxmemory": "1000"}, replicated=False, lease_seconds=10)
    assert doubtful.setting == "maxmemory-policy"
    assert doubtful.consequence == f"if memory is limited (maxmemory is hidden), {certain.consequence}"


def test_a_primary_with_replicas_must_stop_writing_without_them_before_a_lease_is_over() -> None:
    assert wrong(replicated=True, min_replicas_to_write="0") == ["min-replicas-to-write"]
    assert wrong(replicated=True, min_replicas_max_lag="10") == ["min-replicas-max-lag"]
    assert wrong(replicated=True, min_replicas_max_lag="0") == ["min-replicas-max-lag"]
    assert wrong(replicated=False, min_replicas_to_write="0", min_replicas_max_lag="10") == []


@pytest.mark.parametrize("lag", ["0", "10"])
def test_a_lag_that_is_wrong_is_not_what_is_wanted(lag: str) -> None:
    """With 0, Redis does not check the lag."""
    found = GOOD | {"min-replicas-max-lag": lag}
    (wrong,) = shortcomings(found, replicated=True, lease_seconds=10, replicas=2)
    assert (wrong.found, wrong.wanted) == (lag, "1 or more seconds, and less than the lease (10 s)")


@pytest.mark.parametrize(
    ("to_write", "replicas", "expected"),
    [("1", 2, []), ("1", 1, ["replicas"]), ("1", 0, ["replicas"]), ("2", 2, ["replicas"]), ("2", 3, [])],
)
def test_the_successor_of_a_primary_needs_replicas_of_its_own(
    to_write: str, replicas: int, expected: list[str]
) -> None:
    """On three primaries with one replica each, one dead server fences every node until it is back."""
    assert wrong(replicated=True, replicas=replicas, min_replicas_to_write=to_write) == expected
    assert wrong(replicated=False, replicas=0, min_replicas_to_write=to_write) == []


def test_where_writes_need_no_replicas_only_that_is_said() -> None:
    assert wrong(replicated=True, replicas=1, min_replicas_to_write="0") == ["min-replicas-to-write"]


def test_a_single_server_should_keep_a_file() -> None:
    assert wrong(replicated=False, appendonly="no") == ["appendonly"]
    assert wrong(replicated=True, appendonly="no") == []


def test_a_setting_that_is_hidden_is_not_judged() -> None:
    assert shortcomings({}, replicated=True, lease_seconds=10) == []
