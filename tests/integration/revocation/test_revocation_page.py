"""``docs/revocation.md`` shows the tested matrix, and no other."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.revocation.cells import cells_to_test, half_of, reason_against
from tests.integration.revocation.page import PAGE, TESTED, render
from tests.integration.revocation.places import PLACES
from tests.integration.revocation.ways import WAYS

REPOSITORY = Path(__file__).parents[3]
_CELLS = re.compile(rf"\| (?:{TESTED}|[a-z])(?= \|)")


def test_the_page_is_made_of_the_matrix() -> None:
    """``python -m tests.integration.revocation.page`` rewrites it."""
    assert PAGE.read_text() == render()


def test_every_cell_is_tested_or_has_its_reason() -> None:
    reasons = {reason_against(way, place) for way in WAYS for place in PLACES}
    assert all(reason is None or len(reason) > 10 for reason in reasons)
    text = render()
    assert text.count(f"| {TESTED} ") == len(list(cells_to_test()))
    tables = text.split("## Why there is nothing to end")[0]
    assert len(_CELLS.findall(tables)) == len(WAYS) * len(PLACES)
    named = re.findall(r"^\| ([a-z]) \| ", text, re.MULTILINE)
    assert len(named) == len(reasons - {None})


def test_every_way_ends_something_and_every_place_can_be_ended() -> None:
    cells = list(cells_to_test())
    assert {way.key for way, _ in cells} == {way.key for way in WAYS}
    assert {place.key for _, place in cells} == {place.key for place in PLACES}
    counts = Counter(way.key for way, _ in cells)
    several = {key for key, count in counts.items() if count > 1}
    for half in (half_of(cells, 0), half_of(cells, 1)):
        assert {way.key for way, _ in half} >= several
        assert {place.key for _, place in half} == {place.key for place in PLACES}
    by_url = {way.key for way, place in cells if place.kind == "fetched key"}
    assert by_url >= {"key-url", "cleared", "all-cleared", "disabled", "deleted", "realm-deleted"}


def test_the_tests_that_the_page_names_are_there() -> None:
    source = (Path(__file__).parent / "test_revocation_matrix.py").read_text()
    named = re.findall(r"`(test_\w+)`", render())
    assert len(named) == 3
    assert all(f"async def {name}(" in source for name in named)


@pytest.mark.parametrize("page", ["README.md", "docs/security.md"])
def test_readers_find_the_page(page: str) -> None:
    assert "revocation.md" in (REPOSITORY / page).read_text(), page
