from pathlib import Path

import pytest

from benchmarks.report.page import PageError, parts_of, replace_part
from benchmarks.report.plan import BY_NAME
from benchmarks.report.tables import TABLES

PAGE = """# Performance
Before.
<!-- bench:one -->
old
<!-- /bench:one -->
Between.
<!-- bench:two -->
<!-- /bench:two -->
After.
"""


def test_a_part_is_replaced_and_everything_else_stays() -> None:
    page = replace_part(PAGE, "one", "new\nlines\n\n")
    assert page == PAGE.replace("old", "new\nlines")
    assert replace_part(page, "one", "old") == PAGE


def test_an_empty_part_is_filled() -> None:
    assert replace_part(PAGE, "two", "new") == PAGE.replace("two -->\n<!-- /", "two -->\nnew\n<!-- /")


def test_a_part_that_the_page_lacks_is_an_error() -> None:
    with pytest.raises(PageError, match="no part three"):
        replace_part(PAGE, "three", "new")


@pytest.mark.parametrize(
    "page",
    [
        "<!-- bench:one -->\n",
        "<!-- /bench:one -->\n",
        "<!-- bench:one -->\n<!-- /bench:two -->\n",
        "<!-- bench:one -->\n<!-- bench:two -->\n<!-- /bench:two -->\n<!-- /bench:one -->\n",
        PAGE + "<!-- bench:one -->\n<!-- /bench:one -->\n",
    ],
)
def test_markers_that_do_not_match_are_an_error(page: str) -> None:
    with pytest.raises(PageError):
        parts_of(page)


def test_the_page_has_a_part_for_each_benchmark_of_a_report() -> None:
    page = Path(__file__).parents[3] / "docs" / "performance.md"
    assert sorted(parts_of(page.read_text())) == sorted(BY_NAME)
    assert BY_NAME.keys() == TABLES.keys()
