"""Links of the pages for operators lead to files and headings that are there."""

import re
from pathlib import Path
from typing import Final

import pytest

DOCS: Final = Path(__file__).parents[3] / "docs"
_ANY: Final = re.compile(r"\]\(([^)]+)\)")


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", ["alerts", "kubernetes", "metrics", "operations", "systemd"])
def test_each_link_leads_to_a_heading_or_a_file(name: str) -> None:
    links = _ANY.findall((DOCS / f"{name}.md").read_text())
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = DOCS / (path or f"{name}.md")
        assert target.exists(), link
        assert not anchor or anchor in _headings(target), link
