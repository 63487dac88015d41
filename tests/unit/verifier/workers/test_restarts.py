"""Pauses before a worker is started again."""

from keyturn_verifier.workers.restarts import GIVE_UP_AFTER, STEADY_SECONDS, Restarts


def test_pauses_grow_while_a_worker_ends_soon() -> None:
    restarts = Restarts()
    pauses = [restarts.pause_after(0.1) for _ in range(9)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert restarts.failures == 9 > GIVE_UP_AFTER


def test_a_worker_that_has_served_for_a_while_is_started_at_once() -> None:
    restarts = Restarts()
    restarts.pause_after(0.1)
    assert restarts.pause_after(STEADY_SECONDS) == 0.0
    assert restarts.pause_after(0.1) == 0.5, "counted anew"


def test_jitter_takes_half_of_a_pause_at_most() -> None:
    assert Restarts().pause_after(0.1, jitter=0.0) == 0.25
