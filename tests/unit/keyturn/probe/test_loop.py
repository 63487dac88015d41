"""Rounds go on whatever happens, with longer pauses while there is no verdict."""

from collections.abc import Iterator

import pytest

from keyturn.admin_cli.exits import ExitCode
from keyturn.probe.judgement import FAILED_EXIT, Result, Round, Trouble, Verdict
from keyturn.probe.loop import run_for_ever, run_once


class EndError(BaseException):
    """Ends the loop for the test."""


class Rounds:
    """Gives rounds, or raises errors, one after the other."""

    def __init__(self, *rounds: Round | Exception) -> None:
        self._rounds: Iterator[Round | Exception] = iter(rounds)

    def round(self) -> Round:
        found = next(self._rounds, None)
        if found is None:
            raise EndError
        if isinstance(found, Exception):
            raise found
        return found


HELD = Round()
AWAY = Round(trouble=Trouble("the server is away", ExitCode.UNREACHABLE))


def pauses_of(*rounds: Round | Exception, interval: float = 15.0) -> tuple[list[float], list[Result]]:
    pauses: list[float] = []
    results: list[Result] = []

    def note(_: Round, verdict: Verdict, now: float) -> None:
        assert now == 1000.0
        results.append(verdict.result)

    with pytest.raises(EndError):
        run_for_ever(
            Rounds(*rounds),
            note,
            interval=interval,
            sleep=pauses.append,
            now=lambda: 1000.0,
            jitter=lambda: 1.0,
        )
    return pauses, results


def test_rounds_follow_at_the_interval() -> None:
    assert pauses_of(HELD, HELD) == ([15.0, 15.0], [Result.HELD, Result.HELD])


def test_pauses_grow_while_there_is_no_verdict_up_to_a_minute() -> None:
    pauses, _ = pauses_of(AWAY, AWAY, AWAY, AWAY, HELD, AWAY)
    assert pauses == [30.0, 60.0, 60.0, 60.0, 15.0, 30.0]


def test_an_interval_of_more_than_a_minute_is_kept() -> None:
    assert pauses_of(AWAY, AWAY, interval=300.0)[0] == [300.0, 300.0]


def test_an_error_that_nobody_expected_is_a_failed_round_whose_text_is_not_shown() -> None:
    details: list[str] = []

    def note(_: Round, verdict: Verdict, now: float) -> None:
        details.extend(finding.detail for finding in verdict.findings)

    assert run_once(Rounds(ValueError("the secret is s")), note) == FAILED_EXIT
    assert details == ["the round failed unexpectedly: ValueError"]
    assert pauses_of(ValueError("x"), HELD)[1] == [Result.FAILED, Result.HELD]


def test_one_round_ends_with_its_exit_code() -> None:
    assert run_once(Rounds(HELD), lambda *_: None) == 0
    assert run_once(Rounds(AWAY), lambda *_: None) == 5
