"""Repeated reads of a server that may restart."""

import io
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.polling import MAX_FAILURES, poll
from keyturn.admin_cli.rendering import Output


def reading(*seen: int | CommandError) -> Callable[[], int]:
    left: Iterator[int | CommandError] = iter(seen)

    def read() -> int:
        found = next(left)
        if isinstance(found, CommandError):
            raise found
        return found

    return read


def test_a_server_that_restarts_is_waited_for_and_the_person_is_told_once() -> None:
    messages = io.StringIO()
    away = CommandError("not reachable", ExitCode.UNREACHABLE)
    slept: list[float] = []
    seen = poll(reading(1, away, away, 2, 3), Output(False, io.StringIO(), messages), sleep=slept.append)
    assert list(islice(seen, 3)) == [1, 2, 3]
    assert messages.getvalue() == "keyturn: not reachable; trying again\n"
    assert slept == [1.0] * 4


def test_a_server_that_stays_away_and_any_other_refusal_end_it() -> None:
    away = CommandError("not reachable", ExitCode.UNREACHABLE)
    for failures in ([away] * MAX_FAILURES, [CommandError("no such rotation")]):
        with pytest.raises(CommandError):
            next(
                poll(reading(*failures, 1), Output(False, io.StringIO(), io.StringIO()), sleep=lambda _: None)
            )
