"""A round is judged from what was observed alone."""

from dataclasses import replace
from typing import Final

import pytest

from keyturn.admin_cli.exits import ExitCode
from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn.probe.judgement import (
    FAILED_EXIT,
    Answer,
    Check,
    CheckName,
    Observation,
    Place,
    Result,
    Round,
    Trouble,
    judge,
)

ALL_APPLIED: Final = FleetAnswer(True, nodes=2, applied=2)


def seen(node: str, answer: Answer, detail: str = "", after: float | None = None) -> Observation:
    return Observation(node, Place.TOKEN, answer, detail, after)


def refused(node: str, after: float = 0.02) -> Observation:
    return seen(node, Answer.REFUSED, after=after)


GOOD: Final = Check(
    CheckName.SECRET,
    ALL_APPLIED,
    0.01,
    ended=(refused("a"), refused("b", 0.03)),
    valid=(seen("a", Answer.ACCEPTED), seen("b", Answer.ACCEPTED)),
)
HELD: Final = Round((GOOD,), fleet_nodes=2)


def test_a_round_in_which_every_node_refuses_after_a_confirmed_call_held() -> None:
    verdict = judge(HELD)
    assert (verdict.result, verdict.exit_code, verdict.findings) == (Result.HELD, 0, ())
    assert (verdict.reached, verdict.unreached) == (("a", "b"), ())
    assert GOOD.effect_seconds == 0.03


def test_a_node_that_accepts_after_a_confirmed_return_breaks_the_promise_and_is_named() -> None:
    late = seen("b", Answer.ACCEPTED, after=1.51)
    verdict = judge(replace(HELD, checks=(replace(GOOD, ended=(refused("a"), late)),)))
    assert (verdict.result, verdict.exit_code) == (Result.BROKEN, 1)
    (finding,) = verdict.findings
    assert (finding.node, finding.check) == ("b", CheckName.SECRET)
    assert finding.detail == (
        "b accepted what the call had ended, at token endpoint, and refused it 1500 ms after the call had"
        " returned"
    )


def test_a_node_that_goes_on_accepting_has_no_time_of_effect() -> None:
    check = replace(GOOD, ended=(refused("a"), seen("b", Answer.ACCEPTED)))
    assert check.effect_seconds is None
    (finding,) = judge(replace(HELD, checks=(check,))).findings
    assert finding.detail.endswith("and did not refuse it while the prober watched")


@pytest.mark.parametrize(
    "fleet", [None, FleetAnswer(known=False), FleetAnswer(True, nodes=2, applied=1, pending=1)]
)
def test_acceptance_is_no_broken_promise_while_the_call_is_not_confirmed(fleet: FleetAnswer | None) -> None:
    check = replace(GOOD, fleet=fleet, ended=(seen("a", Answer.ACCEPTED), refused("b")))
    verdict = judge(replace(HELD, checks=(check,)))
    assert (verdict.result, verdict.exit_code) == (Result.UNCONFIRMED, ExitCode.UNCONFIRMED)


def test_fenced_nodes_are_confirmed() -> None:
    fleet = FleetAnswer(True, nodes=3, applied=2, fenced=1)
    assert judge(replace(HELD, checks=(replace(GOOD, fleet=fleet),))).result is Result.HELD


@pytest.mark.parametrize("answer", [Answer.UNREACHED, Answer.UNDECIDED])
def test_a_node_that_does_not_decide_is_told_once_with_its_first_answer(answer: Answer) -> None:
    away = seen("b", answer, "token endpoint answers 503")
    check = replace(GOOD, ended=(refused("a"), away), valid=(seen("a", Answer.ACCEPTED), away))
    verdict = judge(replace(HELD, checks=(check, check)))
    assert (verdict.result, verdict.exit_code) == (Result.UNREACHABLE, ExitCode.UNREACHABLE)
    assert (verdict.reached, verdict.unreached) == (("a",), ("b",))
    details = [finding.detail for finding in verdict.findings]
    assert details == [
        "b: token endpoint answers 503",
        "the fleet has 2 nodes with a lease, and 1 were reached",
    ]


def test_a_node_of_the_fleet_that_was_not_asked_is_told() -> None:
    verdict = judge(replace(HELD, fleet_nodes=3))
    assert verdict.result is Result.UNREACHABLE
    assert verdict.findings[0].detail == "the fleet has 3 nodes with a lease, and 2 were reached"


def test_more_addresses_than_nodes_are_no_fault() -> None:
    assert judge(replace(HELD, fleet_nodes=1)).result is Result.HELD
    assert judge(replace(HELD, fleet_nodes=None)).result is Result.HELD


def test_a_name_without_an_address_is_told() -> None:
    verdict = judge(replace(HELD, unresolved=("nodes.test has no address",)))
    assert (verdict.result, verdict.findings[0].detail) == (Result.UNREACHABLE, "nodes.test has no address")


def test_a_node_that_refuses_what_is_valid_says_nothing_about_revocations() -> None:
    check = replace(GOOD, valid=(seen("a", Answer.ACCEPTED), seen("b", Answer.REFUSED, "401 invalid_client")))
    verdict = judge(replace(HELD, checks=(check,)))
    assert (verdict.result, verdict.exit_code) == (Result.FAILED, FAILED_EXIT)
    assert verdict.findings[0].detail == (
        "b refuses the canary's valid credential at token endpoint: 401 invalid_client"
    )


def test_acceptance_after_somebody_elses_change_is_not_called_broken() -> None:
    check = replace(GOOD, ended=(seen("a", Answer.ACCEPTED), refused("b")))
    verdict = judge(replace(HELD, checks=(check,), changed_by_others=True))
    assert verdict.result is Result.FAILED
    assert "is there another prober?" in verdict.findings[0].detail


@pytest.mark.parametrize(
    ("trouble", "result", "code"),
    [
        (Trouble("t", ExitCode.UNREACHABLE), Result.UNREACHABLE, 5),
        (Trouble("t", ExitCode.NOT_ALLOWED), Result.FAILED, 3),
        (Trouble("t", ExitCode.USAGE), Result.FAILED, 2),
        (Trouble("t"), Result.FAILED, FAILED_EXIT),
        (Trouble("t", unconfirmed=True), Result.UNCONFIRMED, 4),
    ],
)
def test_a_round_that_ended_early_has_the_result_of_its_reason(
    trouble: Trouble, result: Result, code: int
) -> None:
    verdict = judge(Round(fleet_nodes=2, trouble=trouble))
    assert (verdict.result, verdict.exit_code) == (result, code)
    assert [finding.detail for finding in verdict.findings] == ["t"]


def test_a_broken_promise_comes_before_everything_else() -> None:
    check = replace(
        GOOD,
        ended=(seen("a", Answer.ACCEPTED), seen("b", Answer.UNREACHED)),
        valid=(seen("c", Answer.REFUSED),),
    )
    unconfirmed = replace(GOOD, name=CheckName.TOKENS, fleet=FleetAnswer(known=False))
    verdict = judge(Round((check, unconfirmed), 3, trouble=Trouble("t", ExitCode.USAGE)))
    assert (verdict.result, verdict.exit_code) == (Result.BROKEN, 1)
    assert {finding.result for finding in verdict.findings} == set(Result) - {Result.HELD}
