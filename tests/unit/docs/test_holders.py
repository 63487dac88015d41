"""The table of attackers' abilities: the page shows the data, and each cell has existing tests."""

import re
from typing import Final

import pytest

from tests.unit.docs.holders import PAGE, REPOSITORY, Holder, between, read, render

HOLDERS: Final = read()
NAMES: Final = {
    "verifier node",
    "node limited to some realms",
    "resource server",
    "dedicated fetcher",
    "reader of Redis",
    "writer of Redis",
    "reader of the database",
    "writer of the database",
    "gateway",
    "tenant's administrator",
    "`create-realm` client",
    "client",
}


def test_the_page_shows_the_data() -> None:
    assert between(PAGE.read_text()) == render(HOLDERS), "python -m tests.unit.docs.holders writes it anew"


def test_every_holder_is_there() -> None:
    assert {row.name for row in HOLDERS.rows} >= NAMES
    assert len(HOLDERS.columns) == 8


@pytest.mark.parametrize("row", HOLDERS.rows, ids=lambda row: row.name)
def test_every_cell_is_shown_by_tests_that_are_there(row: Holder) -> None:
    assert row.cells.keys() == HOLDERS.columns.keys()
    for column, cell in row.cells.items():
        assert cell.can, column
        assert cell.tests, column
        for path, name in cell.tests:
            source = (REPOSITORY / path).read_text()
            assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), (column, path, name)


def test_every_test_of_holders_is_in_the_table() -> None:
    named = {name for _, name in HOLDERS.tests()}
    for file in sorted((REPOSITORY / "tests" / "integration" / "holders").glob("test_*.py")):
        found = re.findall(r"^(?:async )?def (test_\w+)\(", file.read_text(), re.MULTILINE)
        assert set(found) <= named, (file.name, set(found) - named)
