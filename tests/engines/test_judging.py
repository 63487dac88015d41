"""Judgement of a run: how long callers were refused, and what must never happen."""

import pytest

from tests.engines.judging import ENGINE, Report, Span, report, tasks_dead
from tests.engines.load import CHANGE, INTROSPECTION, KEY, READY, SECRET
from tests.engines.record import NO_ANSWER, Record, Sample, refusals


def answers(kind: str, *statuses: int, begun: float = 100.0, step: float = 1.0) -> list[Sample]:
    """Return consecutive requests, each answered after a tenth of a second."""
    times = [begun + number * step for number in range(len(statuses))]
    return [Sample(kind, at, at + 0.1, status) for at, status in zip(times, statuses, strict=True)]


def judged(*samples: list[Sample], moved: float | None = None) -> Report:
    record = Record([each for several in samples for each in several])
    return report("an engine", "a fault", record, Span(100.0, 130.0, moved))


def refused(samples: list[Sample]) -> list[float]:
    return [round(seconds, 3) for seconds in refusals(samples)]


def test_a_refusal_lasts_from_the_first_that_was_refused_until_a_later_one_is_accepted() -> None:
    assert refused(answers(SECRET, 200, 200)) == []
    assert refused(answers(SECRET, 200, 503, 503, 200, 200)) == [2.1]
    assert refused(answers(SECRET, 503, 200, 503, 429, 200)) == [1.1, 2.1]
    assert refused(answers(SECRET, 200, 503, 503)) == [1.1], "nobody was accepted afterwards"


def test_a_request_that_began_before_a_refusal_does_not_end_it() -> None:
    slow = Sample(SECRET, 99.0, 101.5, 200)
    assert refused([slow, *answers(SECRET, 503, 503, 200)]) == [2.1]


@pytest.mark.parametrize("status", [500, 502, 504, NO_ANSWER])
def test_internal_errors_bad_gateways_and_missing_answers_are_failures(status: int) -> None:
    assert len(judged(answers(SECRET, 200, status, 200)).failures) == 1


@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_refusals_are_no_failures(status: int) -> None:
    assert judged(answers(SECRET, 200, status, 200)).failures == []


def test_callers_may_be_refused_while_the_engine_is_away_and_a_little_longer() -> None:
    away = answers(ENGINE, 503, 503, 503, 200, step=1.0)
    assert judged(away, answers(SECRET, 503, 503, 503, 200)).late == []
    assert len(judged(away, answers(SECRET, *[503] * 5, 200)).late) == 1
    assert len(judged(away, answers(INTROSPECTION, *[503] * 5, 200)).late) == 1
    assert judged(away, answers(KEY, *[503] * 5, 200)).late == []
    assert len(judged(away, answers(KEY, *[503] * 7, 200)).late) == 1
    twice = answers(ENGINE, 503, 503, 503, 200, 503, 503, 503, 200)
    assert (judged(twice).outages, round(judged(twice).away, 3)) == (2, 6.2)
    assert judged(twice, answers(SECRET, *[503] * 8, 200)).late == []


def test_changes_are_accepted_soon_after_the_name_leads_to_the_new_primary() -> None:
    made = judged(answers(CHANGE, *[503] * 8, 201), moved=105.0)
    assert made.resumed is not None
    assert round(made.resumed, 3) == 3.1
    assert made.late == []
    assert len(judged(answers(CHANGE, *[503] * 20, 201), moved=105.0).late) == 1
    assert len(judged(answers(CHANGE, *[503] * 20), moved=105.0).late) == 1, "never accepted"


def test_ready_while_no_change_can_be_made_is_untrue() -> None:
    changes = answers(CHANGE, *[503] * 8, 201)
    truth = answers(READY, 200, 200, 503, 503, 503, 503, 503, 503, 200)
    assert judged(changes, truth, moved=107.0).late == []
    untrue = answers(READY, 200, 200, 503, 503, 200, 503, 503, 503, 200)
    assert judged(changes, untrue, moved=107.0).late == ["1 times ready while no change could be made"]


def test_a_task_that_does_not_run_any_more_is_dead_and_so_are_those_of_a_process_that_is_gone() -> None:
    before = {"node-1": {"member": True}, "node-2": {"member": True}}
    assert tasks_dead(before, before) == []
    assert tasks_dead(before, {"node-1": {"member": False}}) == [
        "task member of node-1 is dead",
        "task member of node-2 is dead",
    ]
