"""The page on the command line has an example of every command for administrators, and every exit code."""

import re
from pathlib import Path

import pytest
import typer

from keyturn.__main__ import EXTRA_OF
from keyturn.admin_cli.exits import ExitCode
from keyturn.cli import app

PAGE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text()


def _commands(app: typer.Typer, before: str = "keyturn") -> list[str]:
    named = [
        f"{before} {command.name or command.callback.__name__}"
        for command in app.registered_commands
        if command.callback is not None
    ]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        callback = group.typer_instance.registered_callback
        if callback is not None and group.typer_instance.info.invoke_without_command is True:
            named.append(f"{before} {group.name}")
        named += _commands(group.typer_instance, f"{before} {group.name}")
    return named


COMMANDS = [command for command in _commands(app) if EXTRA_OF[command.split()[1]] == "admin"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str) -> None:
    assert re.search(rf"^\| `{command}[ `]", PAGE, re.MULTILINE)


def test_no_other_command_is_on_the_page() -> None:
    shown = re.findall(r"^\| `(keyturn [^`]*)`", PAGE, re.MULTILINE)
    assert len(shown) == len(COMMANDS)


def test_every_exit_code_is_there() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)] == list(ExitCode)
