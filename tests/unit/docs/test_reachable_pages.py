"""Every page is found from the README, and every link leads somewhere."""

import re
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[3]
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INDEX: Final = REPOSITORY / "docs" / "README.md"


def pages() -> list[Path]:
    """Return all pages, except the parts of others: templates, and examples of tests."""
    docs = [*(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("*.md")]
    return sorted(path for path in docs if path.name != "template.md")


def targets(page: Path) -> list[tuple[Path, str]]:
    """Return the files that a page links to, with the part of each."""
    links = [link for link in _LINK.findall(_CODE.sub("", page.read_text())) if "://" not in link]
    found = [link.partition("#") for link in links if not link.startswith("mailto:")]
    return [((page.parent / file).resolve() if file else page, part) for file, _, part in found]


def reachable() -> set[Path]:
    known: set[Path] = set()
    waiting = [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in known:
            continue
        known.add(page)
        waiting += [target for target, _ in targets(page) if target.suffix == ".md" and target.exists()]
    return known


def parts(page: Path) -> set[str]:
    """Return the parts of a page that links can name, as GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", _CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_readme() -> None:
    assert [str(page.relative_to(REPOSITORY)) for page in pages() if page not in reachable()] == []


def test_the_index_has_every_page_of_the_folder() -> None:
    named = {target for target, _ in targets(_INDEX)}
    missing = [page.name for page in sorted(_INDEX.parent.glob("*.md")) if page not in named | {_INDEX}]
    assert missing == []


def test_the_readme_links_to_the_index() -> None:
    assert _INDEX in {target for target, _ in targets(REPOSITORY / "README.md")}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        f"{target.name}#{part}"
        for target, part in targets(page)
        if not target.exists() or (part and target.suffix == ".md" and part not in parts(target))
    ]
    assert broken == []
