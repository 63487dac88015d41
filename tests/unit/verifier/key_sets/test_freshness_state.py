"""Usability of a record's keys."""

import pytest

from keyturn_shared.key_sets.record import Required
from keyturn_shared.position import Position
from keyturn_verifier.key_sets.freshness_state import Freshness, freshness_of
from keyturn_verifier.key_sets.record_transitions import failed, with_keys
from tests.testkit.key_set_requirements import ANY
from tests.unit.verifier.key_sets.builders import POLICY, empty_record, make_attempt, make_set

FETCHED = with_keys(empty_record(), make_attempt(1000), make_set("a"), {}, POLICY)
FRESH_UNTIL = 1300.0
STALE_UNTIL = FRESH_UNTIL + POLICY.outage


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
    assert freshness_of(FETCHED, ANY, now, POLICY) is freshness


def test_during_an_outage_the_old_keys_serve_for_a_bounded_time() -> None:
    failing = failed(FETCHED, make_attempt(1290), "timeout", "", POLICY)
    assert freshness_of(failing, ANY, 1295, POLICY) is Freshness.FRESH
    assert freshness_of(failing, ANY, 1305, POLICY) is Freshness.OUTAGE
    still = failed(failing, make_attempt(STALE_UNTIL - 5), "timeout", "", POLICY)
    assert freshness_of(still, ANY, STALE_UNTIL - 1, POLICY) is Freshness.OUTAGE
    assert freshness_of(still, ANY, STALE_UNTIL, POLICY) is Freshness.UNUSABLE


def test_a_failure_long_ago_is_no_outage_now() -> None:
    failing = failed(FETCHED, make_attempt(1290), "timeout", "", POLICY)
    assert freshness_of(failing, ANY, failing.next_poll_at + POLICY.lease, POLICY) is Freshness.LAPSED


def test_a_record_without_keys_is_of_no_use() -> None:
    assert freshness_of(empty_record(), ANY, 0, POLICY) is Freshness.UNUSABLE


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
