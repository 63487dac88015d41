"""Freshness of responses, and the times of the next fetch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_verifier.key_sets.freshness import freshness_lifetime, poll_after, retry_after
from keyturn_verifier.key_sets.policy import KeySetPolicy
from tests.unit.verifier.key_sets.builders import POLICY

DATE = "Tue, 24 Nov 2026 02:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 300),
        ({"cache-control": "max-age=120"}, 120),
        ({"cache-control": 'public, Max-Age="120", must-revalidate'}, 120),
        ({"cache-control": "max-age=120, max-age=600"}, 120),
        ({"cache-control": "max-age=300", "age": "100"}, 200),
        ({"cache-control": "max-age=5"}, 60),
        ({"cache-control": "max-age=86400"}, 900),
        ({"cache-control": "max-age=" + "9" * 400}, 60),
        ({"cache-control": "max-age=-1"}, 60),
        ({"cache-control": "max-age=soon"}, 60),
        ({"cache-control": "max-age=¹²³"}, 60),
        ({"cache-control": "max-age=X120X"}, 60),
        ({"cache-control": "max-age=" + "9" * 20}, 900),
        ({"cache-control": "max-age=" + "9" * 21}, 60),
        ({"cache-control": "no-store, max-age=600"}, 60),
        ({"cache-control": "no-cache"}, 60),
        ({"cache-control": "s-maxage=600"}, 300),
        ({"cache-control": ",,;=,"}, 300),
        ({"expires": "Tue, 24 Nov 2026 02:10:00 GMT", "date": DATE}, 600),
        ({"expires": "Tue, 24 Nov 2026 01:00:00 GMT", "date": DATE}, 60),
        ({"expires": "0", "date": DATE}, 60),
        ({"expires": "Tue, 24 Nov 2026 02:10:00 GMT"}, 60),
        ({"cache-control": "max-age=120", "expires": "Tue, 24 Nov 2026 02:10:00 GMT", "date": DATE}, 120),
        ({"cache-control": "max-age=600", "age": "old"}, 600),
    ],
)
def test_the_servers_word_counts_within_the_bounds(headers: dict[str, str], seconds: float) -> None:
    assert freshness_lifetime(headers, 0, POLICY) == seconds


def test_without_a_word_keys_that_have_not_changed_for_long_are_asked_for_less_often() -> None:
    assert [freshness_lifetime({}, age, POLICY) for age in (0, 1000, 5000, 86_400)] == [300, 300, 500, 900]


@given(st.dictionaries(st.sampled_from(["cache-control", "expires", "date", "age"]), st.text(max_size=60)))
def test_whatever_the_headers_say_the_bounds_hold(headers: dict[str, str]) -> None:
    assert POLICY.min_freshness <= freshness_lifetime(headers, 0, POLICY) <= POLICY.max_freshness


@given(st.floats(0, 1, exclude_max=True), st.floats(60, 900))
def test_polls_come_before_the_keys_cease_to_be_fresh(random: float, freshness: float) -> None:
    assert 0.7 * freshness < poll_after(freshness, random) < freshness


def test_retries_double_from_the_minimum_interval_up_to_a_bound() -> None:
    policy = KeySetPolicy(min_interval=10, max_backoff=300)
    assert [retry_after(n, 0, policy) for n in (1, 2, 3, 4, 5, 6, 7, 10_000)] == [
        *(10, 20, 40, 80, 160, 300, 300, 300)
    ]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_retry_never_comes_before_the_minimum_interval(failures: int, random: float) -> None:
    assert POLICY.min_interval <= retry_after(failures, random, POLICY) <= POLICY.max_backoff * 1.25


@pytest.mark.parametrize(
    "headers", [{"cache-control": "no-store"}, {"cache-control": "no-cache"}, {"expires": "never"}]
)
def test_what_is_stale_at_once_is_asked_for_as_often_as_may_be(headers: dict[str, str]) -> None:
    policy = KeySetPolicy(min_interval=0.01, spacing=0.01, min_freshness=0.01)
    assert freshness_lifetime(headers, 0, policy) == 0.01


def test_chance_spreads_retries_by_up_to_a_quarter_more() -> None:
    policy = KeySetPolicy(min_interval=10, max_backoff=300)
    assert [retry_after(1, random, policy) for random in (0.0, 0.4, 1.0)] == [10.0, 11.0, 12.5]
    assert retry_after(9, 1.0, policy) == 375.0
