"""Histories of a few calls: those that one order of all changes explains, and the verdict on others."""

from collections.abc import Iterable
from math import inf
from typing import Any

import pytest

from tests.storm.history import Change, History, Outcome, Presentation, Promise, Register, Verdict
from tests.storm.linearizability import (
    DIFFERED,
    ENDED,
    FALSELY_REFUSED,
    LATE,
    PASSED,
    TWICE,
    UNMADE,
    WENT_BACK,
    check,
)

SECRET, ENABLED, TOKEN = ("secret", "a"), ("enabled", "client"), ("token", "t")
TERM = 10.0
GRANTED, REFUSED, UNDECIDED = Verdict.GRANTED, Verdict.REFUSED, Verdict.UNDECIDED
Call = Change | Presentation


def _change(
    outcome: Outcome, begun: float, settled: float, complete: float, **written: Iterable[Any]
) -> Change:
    sets = {name: frozenset(values) for name, values in written.items()}
    return Change("change", begun, outcome, settled, complete, **sets)


def complete(begun: float, answered: float, **written: Iterable[Any]) -> Change:
    return _change(Outcome.COMPLETE, begun, answered, answered, **written)


def accepted(begun: float, answered: float, **written: Iterable[Any]) -> Change:
    return _change(Outcome.ACCEPTED, begun, answered, inf, **written)


def unanswered(begun: float, **written: Iterable[Any]) -> Change:
    return _change(Outcome.UNANSWERED, begun, inf, inf, **written)


def shown(
    sent: float,
    answered: float,
    verdict: Verdict,
    *,
    node: str = "n1",
    needs: Iterable[Register] = (SECRET,),
    single_use: str | None = None,
) -> Presentation:
    return Presentation("it", "token endpoint", node, sent, answered, verdict, frozenset(needs), single_use)


def issued(sent: float, answered: float) -> Presentation:
    needs, to = frozenset({ENABLED}), frozenset({"client"})
    return Presentation("it", "token endpoint", "n1", sent, answered, GRANTED, needs, None, TOKEN, to)


def rules(*calls: Call) -> list[str]:
    history = History(
        [call for call in calls if isinstance(call, Change)],
        [call for call in calls if isinstance(call, Presentation)],
    )
    return [violation.rule for violation in check(history, Promise(TERM)).violations]


MADE = complete(0, 1, makes=[SECRET])
ISSUING = (complete(0, 1, makes=[ENABLED]), issued(2, 3))
OTHER = ("secret", "another")


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param((MADE, shown(2, 3, GRANTED)), id="granted once it is made"),
        pytest.param((MADE, shown(0.5, 3, REFUSED)), id="refused while it is made"),
        pytest.param((MADE, shown(0.5, 0.7, GRANTED)), id="granted while it is made"),
        pytest.param((shown(2, 3, REFUSED),), id="refused when nobody made it"),
        pytest.param((MADE, shown(2, 3, UNDECIDED)), id="a node may say that it cannot tell"),
        pytest.param(
            (MADE, complete(2, 5, ends=[SECRET]), shown(3, 9, GRANTED), shown(4, 4.5, REFUSED, node="n2")),
            id="while an end is under way either answer is right, at each node its own",
        ),
        pytest.param(
            (MADE, complete(2, 5, ends=[SECRET]), shown(4.9, 30, GRANTED)),
            id="a question that was sent before the end was complete",
        ),
        pytest.param(
            (MADE, accepted(2, 3, ends=[SECRET]), shown(12.9, 14, GRANTED)),
            id="granted within the term of an end that was not waited for",
        ),
        pytest.param(
            (MADE, unanswered(2, ends=[SECRET]), shown(50, 51, GRANTED)),
            id="an end without an answer may not have taken effect",
        ),
        pytest.param(
            (MADE, unanswered(2, ends=[SECRET]), shown(50, 51, GRANTED), shown(52, 53, REFUSED)),
            id="or later than it was asked for",
        ),
        pytest.param(
            (MADE, unanswered(2, ends=[SECRET]), shown(4, 5, REFUSED), shown(6, 7, GRANTED, node="n2")),
            id="a node may be behind another one until something is complete",
        ),
        pytest.param(
            (
                MADE,
                complete(2, 9, ends=[SECRET]),
                complete(3, 9, makes=[SECRET]),
                shown(10, 11, GRANTED),
                shown(12, 13, GRANTED, node="n2"),
            ),
            id="changes at the same time have either order",
        ),
        pytest.param(
            (MADE, complete(2, 3, ends=[SECRET]), complete(4, 5, makes=[SECRET]), shown(6, 7, GRANTED)),
            id="granted when it was made again",
        ),
        pytest.param(
            (
                MADE,
                shown(2, 9, REFUSED, single_use="jti"),
                shown(3, 4, GRANTED, node="n2", single_use="jti"),
            ),
            id="refused as it was used elsewhere",
        ),
        pytest.param(
            (*ISSUING, shown(4, 5, GRANTED, needs=[TOKEN, ENABLED], node="n2")), id="a token that was issued"
        ),
        pytest.param(
            (
                *ISSUING,
                complete(4, 5, ends=[ENABLED], ends_issued_to=["client"]),
                complete(6, 7, makes=[ENABLED]),
                shown(8, 9, REFUSED, needs=[TOKEN, ENABLED]),
            ),
            id="a token from before its client was disabled",
        ),
        pytest.param(
            (
                complete(0, 1, makes=[ENABLED]),
                accepted(1.5, 1.8, ends_issued_to=["client"]),
                issued(2, 3),
                shown(20, 21, REFUSED, needs=[TOKEN]),
            ),
            id="a token that a node issued before it knew of the end is ended too",
        ),
    ],
)
def test_what_one_order_of_changes_explains_is_no_violation(calls: tuple[Call, ...]) -> None:
    assert rules(*calls) == []


@pytest.mark.parametrize(
    ("calls", "rule"),
    [
        pytest.param(
            (MADE, complete(2, 3, ends=[SECRET]), shown(4, 5, GRANTED)),
            ENDED,
            id="after the end was complete",
        ),
        pytest.param(
            (MADE, accepted(2, 3, ends=[SECRET]), shown(13.5, 14, GRANTED)), LATE, id="after the term"
        ),
        pytest.param(
            (MADE, accepted(2, 3, ends=[SECRET]), complete(4, 5, makes=[OTHER]), shown(6, 7, GRANTED)),
            PASSED,
            id="after a later change was complete",
        ),
        pytest.param((shown(2, 3, GRANTED),), UNMADE, id="what nobody made"),
        pytest.param((MADE, shown(2, 3, REFUSED)), FALSELY_REFUSED, id="what was made"),
        pytest.param(
            (accepted(0, 1, makes=[SECRET]), shown(12, 13, REFUSED)),
            FALSELY_REFUSED,
            id="what was made and not waited for, after the term",
        ),
        pytest.param(
            (MADE, shown(2, 3, REFUSED, single_use="jti")),
            FALSELY_REFUSED,
            id="an assertion that nobody else has shown",
        ),
        pytest.param(
            (
                MADE,
                shown(2, 3, GRANTED, single_use="jti"),
                shown(4, 5, GRANTED, node="n2", single_use="jti"),
            ),
            TWICE,
            id="one assertion at two nodes",
        ),
        pytest.param(
            (MADE, unanswered(2, ends=[SECRET]), shown(4, 5, REFUSED), shown(6, 7, GRANTED)),
            WENT_BACK,
            id="a node that had refused it",
        ),
        pytest.param(
            (
                MADE,
                unanswered(2, ends=[SECRET]),
                shown(4, 5, REFUSED),
                complete(6, 7, makes=[OTHER]),
                shown(8, 9, GRANTED, node="n2"),
            ),
            DIFFERED,
            id="another node, after a change that came later",
        ),
        pytest.param(
            (
                *ISSUING,
                complete(4, 5, ends_issued_to=["client"]),
                shown(6, 7, GRANTED, needs=[TOKEN, ENABLED]),
            ),
            ENDED,
            id="a token from before all were ended",
        ),
        pytest.param(
            (
                complete(0, 1, makes=[ENABLED]),
                complete(1.2, 1.5, ends_issued_to=["client"]),
                issued(2, 3),
                shown(4, 5, REFUSED, needs=[TOKEN, ENABLED]),
            ),
            FALSELY_REFUSED,
            id="a token that was issued after all were ended",
        ),
    ],
)
def test_what_no_order_explains_is_said_by_its_rule(calls: tuple[Call, ...], rule: str) -> None:
    assert rules(*calls) == [rule]


def test_a_violation_is_told_by_its_two_calls_in_one_line() -> None:
    made = complete(0, 1, makes=[SECRET])
    ended = complete(20, 23, ends=[SECRET])
    granted = shown(24, 25, GRANTED)
    [violation] = check(History([made, ended], [granted]), Promise(TERM)).violations
    assert list(violation.calls) == [ended, granted]
    assert str(violation) == (
        "granted after its end was complete (secret a): "
        "change begun at 0.000 s, made by 3.000 s, complete at 3.000 s; "
        "it sent to token endpoint of n1 at 4.000 s, granted at 5.000 s"
    )


def test_what_was_judged_is_counted() -> None:
    answers = [shown(2, 3, GRANTED), shown(2, 3, UNDECIDED), shown(2, 3, REFUSED, needs=[OTHER])]
    judged = check(History([MADE], answers), Promise(TERM))
    assert (judged.grants, judged.undecided, judged.refusals) == (1, 1, 1)
