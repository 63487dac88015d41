"""A policy begins the rotation of a secret in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_credentials.domain.rotation_rules import RotationRules, lead_of
from keyturn_credentials.domain.secrets import RotationPolicy
from keyturn_credentials.errors import InvalidRequestError

EXPIRES = {"keyturn.secret.expiration-period": "1000"}


@pytest.mark.parametrize(
    ("overlap", "remaining", "lead"),
    [(0, 0, 100), (50, 0, 100), (300, 0, 300), (900, 0, 500), (0, 700, 700), (0, 1000, 900), (300, 200, 300)],
)
def test_it_leaves_time_for_the_overlap_but_does_not_follow_the_last_one_at_once(
    overlap: int, remaining: int, lead: int
) -> None:
    assert lead_of(RotationPolicy(1000, overlap, remaining)) == lead


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 100_000))
def test_it_begins_within_the_lifetime_of_the_secret(
    expiration: int, overlap: int, remaining: int, jitter: int
) -> None:
    policy = RotationPolicy(expiration, min(overlap, expiration), min(remaining, expiration))
    start_at = RotationRules(policy, jitter=jitter).start_at("uuid-1", float(expiration))
    assert start_at is not None
    assert 0 < start_at <= expiration


def test_clients_begin_at_their_own_share_of_the_jitter_and_always_the_same() -> None:
    rules = RotationRules(RotationPolicy(10_000, 0, 1000), jitter=600)
    starts = [rules.start_at(f"uuid-{number}", 10_000.0) for number in range(100)]
    assert starts == [rules.start_at(f"uuid-{number}", 10_000.0) for number in range(100)]
    assert all(start is not None and 8400 <= start <= 9000 for start in starts)
    assert len(set(starts)) > 50


def test_without_a_policy_or_when_it_is_switched_off_none_begins() -> None:
    assert RotationRules.from_attributes({}, {}).start_at("uuid-1", 1000.0) is None
    off = RotationRules.from_attributes({"keyturn.rotation.automatic": "false"}, EXPIRES)
    assert off.start_at("uuid-1", 1000.0) is None


def test_each_rule_is_the_clients_own_or_else_its_realms() -> None:
    realm = EXPIRES | {"keyturn.rotation.retire-unused": "true", "keyturn.rotation.jitter": "60"}
    rules = RotationRules.from_attributes(
        {"keyturn.rotation.retire-unused": "false", "keyturn.rotation.jitter": " "}, realm
    )
    assert (rules.retire_unused, rules.jitter) == (False, 60)


def test_the_number_at_once_is_the_realms_alone() -> None:
    own = {"keyturn.rotation.max-at-once": "5"}
    assert RotationRules.from_attributes(own, {}).max_at_once is None
    assert RotationRules.from_attributes({}, own).max_at_once == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keyturn.rotation.automatic", "yes"),
        ("keyturn.rotation.retire-unused", "1"),
        ("keyturn.rotation.jitter", "-1"),
        ("keyturn.rotation.jitter", "1.5"),
        ("keyturn.rotation.jitter", "٣"),
        ("keyturn.rotation.max-at-once", "0"),
        ("keyturn.rotation.max-at-once", "100001"),
        ("keyturn.rotation.window", "always"),
    ],
)
def test_a_value_that_is_none_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        RotationRules.from_attributes({}, {name: value})
