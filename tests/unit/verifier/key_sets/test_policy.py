"""The times around fetching keep their order, for any interval."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from keyturn_shared.errors import ConfigurationError
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.record_transitions import keep_seconds
from tests.unit.verifier.key_sets.builders import POLICY, empty_record


@pytest.mark.parametrize("interval", [0.01, 0.25, 10.0, 60.0, 100.0, 400.0, 5_000.0])
def test_an_interval_stretches_what_must_not_be_shorter_and_nothing_else(interval: float) -> None:
    made = KeySetPolicy.for_interval(interval, ["10.0.0.0/8"])
    assert made.allowed_networks == ("10.0.0.0/8",)
    assert made == replace(
        POLICY,
        min_interval=interval,
        spacing=min(0.25, interval),
        min_freshness=max(60.0, interval),
        default_freshness=max(300.0, interval),
        max_freshness=max(900.0, interval),
        max_demand_backoff=max(60.0, interval),
        max_backoff=max(300.0, interval),
        allowed_networks=("10.0.0.0/8",),
    )


@pytest.mark.parametrize(("asked", "patience"), [(None, 12.0), (20.0, 20.0), (0.0, 5.0)])
def test_only_a_kid_of_a_set_in_good_order_is_worth_the_longer_wait(
    asked: float | None, patience: float
) -> None:
    made = KeySetPolicy.for_interval(10.0, new_key_timeout=asked)
    assert made.patience(lacks_kid_alone=True) == patience
    assert made.patience(lacks_kid_alone=False) == 5.0


@pytest.mark.parametrize(
    "changes",
    [
        {"min_interval": 61.0},
        {"spacing": 11.0},
        {"spacing": 0.0},
        {"demand_burst": 0},
        {"min_freshness": 301.0},
        {"default_freshness": 901.0},
        {"fetch_timeout": 11.0},
        {"max_demand_backoff": 301.0},
        {"max_demand_backoff": 9.0},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        replace(POLICY, **changes)


def test_equal_times_contradict_nothing() -> None:
    replace(POLICY, min_interval=60.0, min_freshness=60.0, default_freshness=60.0, max_freshness=60.0)
    replace(POLICY, spacing=10.0, demand_burst=1, fetch_timeout=10.0, max_backoff=60.0)


@pytest.mark.parametrize(
    ("stale_until", "next_poll", "kept"), [(9_000.0, 100.0, 11_600.0), (0.0, 2_000.0, 8_200.0)]
)
def test_a_record_is_kept_until_nobody_can_need_it(stale_until: float, next_poll: float, kept: float) -> None:
    record = msgspec.structs.replace(empty_record(), stale_until=stale_until, next_poll_at=next_poll)
    assert keep_seconds(record, 1_000.0, POLICY) == kept
