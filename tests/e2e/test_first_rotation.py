"""The page for a first rotation, command by command, as its reader would type them."""

from pathlib import Path

import pytest

from tests.e2e.pages import Page
from tests.testkit.local_stack import Admin, RunningStack

_SECONDS = 240


def _states(lines: list[str]) -> list[str]:
    """Return the states without ``delivered``, which is left out if the new secret was used before that."""
    return [state for line in lines if line for state in line.split()[2:3] if state != "delivered"]


@pytest.mark.timeout(300)
def test_each_command_does_what_the_page_says(stack: RunningStack, tmp_path: Path) -> None:
    Admin(stack, "demo").make_realm()
    page = Page("rotation.md", stack)
    (settings,) = page.of_kind("toml")
    (tmp_path / "orders.toml").write_text(settings)
    answers = page.run(tmp_path, seconds=_SECONDS)
    (example,) = page.of_kind("")
    assert _states(example.splitlines()) == _states(answers[3].splitlines()[1:]), answers[3]
    assert '"error":"invalid_client"' in answers[4].replace(": ", ":"), answers[4]
    assert "access_token" in answers[2]
    assert "access_token" in answers[5]
    assert " done " in answers[5]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keyturn", ".venv", "config"]
