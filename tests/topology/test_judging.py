"""Judgement of answers and of a whole run."""

from collections import Counter

import pytest

from tests.testkit.http_client import Answer
from tests.topology.callers import judge_ended
from tests.topology.kept_data import missing
from tests.topology.record import OK, Record, Sample, Verdict, by_status, failures
from tests.topology.run import KILL, RESTART, Outcome, Result
from tests.topology.table import table


def outcome(part: str, *, failed: int = 0, wrong: int = 0) -> Outcome:
    counts = Counter({"rotation: 502": failed}) if failed else Counter[str]()
    may_fail, told = part == KILL, ["rotation: 502: bad gateway"] * failed
    return Outcome(part, "node", 1.0, Counter(rotation=9), counts, may_fail, ["accepted"] * wrong, 0.1, told)


@pytest.mark.parametrize(
    ("outcomes", "wrong", "passed"),
    [
        ([outcome(RESTART)], [], True),
        ([outcome(RESTART), outcome(RESTART, failed=1)], [], False),
        ([outcome(KILL, failed=1)], [], True),
        ([outcome(KILL, wrong=1)], [], False),
        ([outcome(KILL)], ["a secret is another one"], False),
    ],
)
def test_a_request_may_fail_only_beside_a_kill_and_no_answer_may_be_wrong(
    outcomes: list[Outcome], wrong: list[str], passed: bool
) -> None:
    result = Result(outcomes, 0, wrong)
    assert result.passed is passed
    assert ("FAILED: " in table([result]) or "WRONG: " in table([result])) is not passed


@pytest.mark.parametrize(
    ("status", "valid", "ended"),
    [
        (200, OK, "wrong"),
        (401, "wrong", OK),
        (502, Verdict(failure="502"), Verdict(failure="502")),
        (429, Verdict(failure="429"), Verdict(failure="429")),
    ],
)
def test_a_refusal_of_a_valid_credential_is_as_wrong_as_an_acceptance_of_an_ended_one(
    status: int, valid: Verdict | str, ended: Verdict | str
) -> None:
    for verdict, expected in ((by_status(Answer(status)), valid), (judge_ended(Answer(status)), ended)):
        assert verdict.wrong if expected == "wrong" else verdict == expected


def test_requests_count_where_they_ended_and_failures_by_kind() -> None:
    bad, record = Verdict(failure="502"), Record()
    record.samples += [Sample("a", 0.0, 1.0, OK), Sample("a", 0.5, 2.0, bad), Sample("b", 1.9, 2.1, bad)]
    assert record.between(0.0, 2.0) == record.samples[:1]
    assert failures(record.between(1.0, 3.0)) == {"a: 502": 1, "b: 502": 1}


def test_later_releases_may_show_more_but_nothing_else() -> None:
    before = {"a": 1, "b": [{"c": 2}]}
    assert missing(before, before | {"new": 1}) == []
    assert missing(before, {"a": 1}) == [".b is missing"]
    assert missing(before, {"a": 2, "b": [{"c": 2, "d": 3}]}) == [".a was 1 and is 2"]
    assert missing(before, {"a": 1, "b": []}) == [".b was [{'c': 2}] and is []"]
