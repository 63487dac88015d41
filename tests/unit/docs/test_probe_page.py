"""The page on the prober has every option, result, exit code and check, and the figures in force."""

import re
from pathlib import Path

import typer

from keyturn.admin_cli.exits import ExitCode
from keyturn.cli import app
from keyturn.probe.canary import MARK
from keyturn.probe.judgement import FAILED_EXIT, CheckName, Result
from keyturn.probe.loop import LONGEST_PAUSE, SECONDS_FOR_EACH_NODE
from keyturn.probe.node_requests import REQUEST_SECONDS
from keyturn.probe.rounds import WATCH_SECONDS

PAGE = (Path(__file__).parents[3] / "docs" / "probe.md").read_text()


def test_every_option_is_there() -> None:
    command = typer.main.get_command(app).commands["probe"]  # type: ignore[attr-defined]  # of a group
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    assert options - set(re.findall(r"--[a-z-]+", PAGE)) == {"--help"} & options


def test_every_result_is_there_with_its_exit_codes() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| ([\d, ]+) \|", PAGE, re.MULTILINE)
    found = {(name, int(code)) for name, codes in rows for code in codes.split(",")}
    assert found == {
        (Result.HELD, ExitCode.DONE),
        (Result.BROKEN, ExitCode.FAILED),
        (Result.FAILED, FAILED_EXIT),
        (Result.FAILED, ExitCode.USAGE),
        (Result.FAILED, ExitCode.NOT_ALLOWED),
        (Result.UNCONFIRMED, ExitCode.UNCONFIRMED),
        (Result.UNREACHABLE, ExitCode.UNREACHABLE),
    }
    order = PAGE[PAGE.index("If several apply") :]
    assert re.findall(r"`([a-z]+)`", order)[:4] == list(Result)[:4]


def test_every_check_is_there_in_its_order() -> None:
    assert re.findall(r"^\| `([a-z]+)` \| [a-z]", PAGE, re.MULTILINE) == list(CheckName)


def test_the_figures_are_those_in_force() -> None:
    assert f"`{MARK}`" in PAGE
    assert (REQUEST_SECONDS, WATCH_SECONDS, LONGEST_PAUSE, SECONDS_FOR_EACH_NODE) == (5.0, 10.0, 60.0, 1.5)
    assert "five seconds at a node" in PAGE
    assert "up to ten seconds" in PAGE
    assert "up to a minute" in PAGE
    assert "1.5 s for each node" in PAGE
