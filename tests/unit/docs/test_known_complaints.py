"""The page of known complaints names existing tests."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
PAGE = REPOSITORY / "docs" / "known-complaints.md"


def test_every_row_is_shown_by_a_test_that_is_there() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) > 15
    for row in rows:
        found = re.search(r"`(tests/[\w/]+\.py)::(\w+)` \|$", row)
        assert found is not None, row
        assert re.search(rf"^(async )?def {found[2]}\(", (REPOSITORY / found[1]).read_text(), re.MULTILINE), (
            row
        )


def test_every_test_of_a_complaint_is_on_the_page_or_beside_one_that_is() -> None:
    source = (REPOSITORY / "tests/integration/credentials/test_known_complaints.py").read_text()
    page = PAGE.read_text()
    for name in re.findall(r"def (test_\w+)\(", source):
        numbers = re.findall(r"\d{4,}", name)
        assert numbers, name
        assert all(number in page for number in numbers), name
