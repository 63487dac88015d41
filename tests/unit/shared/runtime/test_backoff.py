"""Pauses grow with consecutive failures, within limits."""

from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.runtime.backoff import Backoff

FIRST = st.floats(0.001, 10.0)


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first=0.1, longest=2.0)
    assert [backoff.seconds(failures) for failures in range(1, 8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@given(FIRST, st.floats(1.0, 1000.0), st.integers(1, 10**9), st.floats(0.0, 1.0))
def test_jitter_decides_on_half_of_the_pause_however_many_failures(
    first: float, times: float, failures: int, jitter: float
) -> None:
    backoff = Backoff(first, first * times)
    whole = backoff.seconds(failures)
    assert first <= whole <= backoff.longest
    assert whole / 2 <= backoff.seconds(failures, jitter) <= whole
    assert whole <= backoff.seconds(failures + 1)
