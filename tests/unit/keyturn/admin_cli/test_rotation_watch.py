"""The moves of a rotation, printed as they are made."""

import io
import json
from typing import Any

import pytest

from keyturn.admin_cli.exits import ExitCode
from keyturn.admin_cli.rendering import Output
from keyturn.admin_cli.rotation_watch import follow


def seen(*states: str, **more: Any) -> dict[str, Any]:
    history = [{"state": state, "at": 0, "sequence": number} for number, state in enumerate(states)]
    return {"state": states[-1], "waits_for": "use", "history": history, **more}


def watch(
    rotations: list[dict[str, Any]], *, as_json: bool = False, timeout: float | None = None
) -> tuple[ExitCode, list[str], str]:
    out, messages, left, now = io.StringIO(), io.StringIO(), iter(rotations), 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    code = follow(
        lambda: next(left), Output(as_json, out, messages), timeout, sleep=sleep, elapsed=lambda: now
    )
    return code, out.getvalue().splitlines(), messages.getvalue()


def test_each_move_is_printed_once() -> None:
    code, lines, _ = watch(
        [
            seen("planned"),
            seen("planned", "prepared", paused=True),
            seen("planned", "prepared"),
            seen("planned", "prepared", alert="successor_unused"),
            seen("planned", "prepared", "in_use", "retired", "done", alert="successor_unused"),
        ]
    )
    assert code is ExitCode.DONE
    assert [line.removeprefix("1970-01-01 00:00:00Z  ") for line in lines] == [
        "planned",
        "prepared (change 1)",
        "Paused",
        "Resumed",
        "Alert: successor_unused",
        "in_use (change 2)",
        "retired (change 3)",
        "done (change 4)",
    ]


@pytest.mark.parametrize("state", ["cancelled", "rolled_back", "superseded", "failed"])
def test_one_that_was_given_up_is_a_failure(state: str) -> None:
    assert watch([seen("planned", state)])[0] is ExitCode.FAILED


def test_a_failure_is_printed_with_its_cause() -> None:
    failure = {"code": "client_disabled", "detail": "The client has been disabled for longer."}
    _, lines, _ = watch([seen("planned"), seen("planned", "failed", failure=failure)])
    assert lines[-1] == "Failed: The client has been disabled for longer."


def test_the_time_is_limited_if_asked() -> None:
    code, _, message = watch([seen("planned")] * 5, timeout=3)
    assert code is ExitCode.UNCONFIRMED
    assert message == "keyturn: not done within 3 s: planned, waits for use\n"


def test_json_has_a_line_for_each_move() -> None:
    _, lines, _ = watch([seen("planned", "done")], as_json=True)
    assert [json.loads(line)["state"] for line in lines] == ["planned", "done"]
