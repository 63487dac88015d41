"""The page for the first ten minutes, command by command, as its reader would type them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pages import Page
from tests.testkit.local_stack import RunningStack

_SECONDS = 120


def objects(text: str) -> list[Any]:
    """Return the JSON objects that have a line of their own."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.mark.timeout(200)
def test_each_command_does_what_the_page_says(stack: RunningStack, tmp_path: Path) -> None:
    page = Page("tutorial.md", stack)
    realm, refused_scope, orders, refused_secret = page.of_kind("json")
    (service,) = page.of_kind("python")
    (tmp_path / "shop.json").write_text(realm)
    (tmp_path / "orders_api.py").write_text(service)
    answers = page.run(tmp_path, seconds=_SECONDS)
    scope, rotated = page.of_kind("")
    assert answers[2].splitlines()[1:] == scope.splitlines()
    assert objects(answers[3]) == objects(refused_scope)
    assert objects(answers[4]) == objects(orders)
    assert answers[5].splitlines()[1:] == rotated.splitlines()
    assert answers[6].splitlines()[1] == "orders.read"
    assert objects(answers[6]) == objects(refused_secret)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keyturn", ".venv", "config"]
