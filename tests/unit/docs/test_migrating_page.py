"""The page on migrating names every reason for which a difference is expected, and every command."""

from pathlib import Path

import pytest

from keyturn.migrate.commands import app
from keyturn.migrate.compare.expectations import RULES

PAGE = (Path(__file__).parents[3] / "docs" / "migrating.md").read_text()


@pytest.mark.parametrize("reason", sorted({rule.reason for rule in RULES}))
def test_every_reason_is_on_the_page(reason: str) -> None:
    assert f"| {reason} |" in PAGE


def test_no_other_reason_is_on_the_page() -> None:
    table = PAGE.split("| expected, because | in |\n|---|---|\n")[1].split("\n\n")[0]
    assert len(table.splitlines()) == len({rule.reason for rule in RULES})


def test_every_command_is_on_the_page() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"keyturn migrate {command.callback.__name__} " in PAGE
