"""Usability of a record's keys."""

import pytest
from msgspec.structs import replace

from keyturn_shared.key_sets.freshness import LEASE_SECONDS, Freshness, freshness_of
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_shared.position import Position
from tests.testkit.key_set_requirements import ANY

FRESH_UNTIL = 1300.0
STALE_UNTIL = 4900.0
EMPTY = KeySetRecord(url="https://client.example/jwks")
FETCHED = replace(
    EMPTY, keys=({"kid": "a"},), fetched_at=1000.0, fresh_until=FRESH_UNTIL, stale_until=STALE_UNTIL
)
FAILING = replace(FETCHED, failures=1, failure="timeout", next_poll_at=1300.0)


@pytest.mark.parametrize(
    ("now", "freshness"),
    [
        (1000, Freshness.FRESH),
        (FRESH_UNTIL - 0.001, Freshness.FRESH),
        (FRESH_UNTIL, Freshness.LAPSED),
        (STALE_UNTIL - 0.001, Freshness.LAPSED),
        (STALE_UNTIL, Freshness.UNUSABLE),
    ],
)
def test_keys_are_used_while_fresh_and_then_only_if_they_cannot_be_fetched(
    now: float, freshness: Freshness
) -> None:
    assert freshness_of(FETCHED, ANY, now) is freshness


def test_during_an_outage_the_old_keys_serve_for_a_bounded_time() -> None:
    assert freshness_of(FAILING, ANY, FRESH_UNTIL - 5) is Freshness.FRESH
    assert freshness_of(FAILING, ANY, FRESH_UNTIL + 5) is Freshness.OUTAGE
    still = replace(FAILING, next_poll_at=STALE_UNTIL)
    assert freshness_of(still, ANY, STALE_UNTIL - 1) is Freshness.OUTAGE
    assert freshness_of(still, ANY, STALE_UNTIL) is Freshness.UNUSABLE


def test_a_failure_long_ago_is_no_outage_now() -> None:
    assert freshness_of(FAILING, ANY, FAILING.next_poll_at + LEASE_SECONDS) is Freshness.LAPSED


def test_a_record_without_keys_is_of_no_use() -> None:
    assert freshness_of(EMPTY, ANY, 0) is Freshness.UNUSABLE


@pytest.mark.parametrize(
    ("as_of", "required", "met"),
    [
        ((7, 100), Required(7, 0), True),
        ((6, 100), Required(7, 0), True),
        ((7, 100), Required(7, 100), True),
        ((7, 99), Required(7, 100), False),
        ((6, 500), Required(7, 100), False),
        ((8, 3), Required(7, 100), True),
    ],
)
def test_what_was_fetched_before_a_clearing_is_not_used_after_it(
    as_of: tuple[int, int], required: Required, met: bool
) -> None:
    """Sequences of another epoch are not comparable, except that a later epoch began after all of this
    one."""
    assert required.met_by(Position(*as_of)) is met
