"""The end of a command."""

import io
import json
from typing import cast

import pytest
import typer

from keyturn.admin_cli.api import AdminApi, Change
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn.admin_cli.rendering import Output
from keyturn.admin_cli.session import Session, reporting


def finish(
    fleet: FleetAnswer | None, *, as_json: bool = False, notice: str | None = None
) -> tuple[int, str, str]:
    out, messages = io.StringIO(), io.StringIO()
    session = Session(cast("AdminApi", None), "acme", Output(as_json, out, messages))
    try:
        session.finish(Change({}, None, notice, 7, fleet), "Done", id="1")
    except typer.Exit as ended:
        return ended.exit_code, out.getvalue(), messages.getvalue()
    return 0, out.getvalue(), messages.getvalue()


def test_a_change_that_every_node_applied_is_done() -> None:
    assert finish(FleetAnswer(True, 3, 3)) == (0, "Done\nSafe now: 3 of 3 nodes applied it\n", "")


@pytest.mark.parametrize("fleet", [FleetAnswer(True, 3, 2, 0, 1), FleetAnswer(False)])
def test_a_change_that_is_not_confirmed_has_its_own_exit_code(fleet: FleetAnswer) -> None:
    code, shown, _ = finish(fleet)
    assert code == ExitCode.UNCONFIRMED
    assert shown == f"Done\n{fleet.sentence()}\n"


@pytest.mark.parametrize(
    ("fleet", "safe"), [(FleetAnswer(True, 1, 1), True), (FleetAnswer(False), False), (None, None)]
)
def test_json_says_whether_it_is_safe(fleet: FleetAnswer | None, safe: bool | None) -> None:
    shown = json.loads(finish(fleet, as_json=True)[1])
    assert (shown["id"], shown["sequence"], shown["safe"]) == ("1", 7, safe)
    assert shown["fleet"] == (None if fleet is None else fleet.members())


def test_a_notice_of_the_server_is_a_message() -> None:
    assert finish(None, notice="a\033b")[2] == "keyturn: a\\x1bb\n"


def test_an_error_is_one_line_that_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, reporting():
        raise CommandError("the server says \033[2J\nmore", ExitCode.NOT_ALLOWED)
    assert ended.value.exit_code == ExitCode.NOT_ALLOWED
    assert capsys.readouterr().err == "keyturn: the server says \\x1b[2J\\nmore\n"
