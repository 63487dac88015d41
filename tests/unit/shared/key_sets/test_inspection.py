"""Keys of a JWKS URL that nodes use, as its health says."""

from dataclasses import replace

import pytest

from keyturn_shared.key_sets.inspection import FetchedKey, KeySetHealth

KEY = FetchedKey("k1", "a-thumbprint", "EC", None, None)
HEALTH = KeySetHealth(
    url="https://orders.example/k_jwks",
    networks=(),
    keys=(KEY,),
    skipped=0,
    skipped_keys=(),
    last_success=100.0,
    last_change=100.0,
    fresh_until=200.0,
    stale_until=500.0,
    last_attempt=100.0,
    attempts=1,
    failures=0,
    failure=None,
    failure_detail=None,
    polled=True,
    next_poll=150.0,
)
FAILS = replace(HEALTH, failures=3, failure="no_usable_keys")


@pytest.mark.parametrize(
    ("health", "now", "expected"),
    [
        (HEALTH, 150.0, {"a-thumbprint"}),
        (HEALTH, 1e6, {"a-thumbprint"}),
        (FAILS, 499.0, {"a-thumbprint"}),
        (FAILS, 500.0, set()),
        (replace(FAILS, keys=(), last_success=None, stale_until=None), 150.0, set()),
        (replace(HEALTH, keys=()), 150.0, None),
    ],
)
def test_a_url_that_has_failed_for_too_long_has_no_key(
    health: KeySetHealth, now: float, expected: set[str] | None
) -> None:
    """A URL that nobody uses is not fetched: its keys are those that it had, however old."""
    assert health.thumbprints_in_use(now) == expected
