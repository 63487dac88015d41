"""The attacks on persons' sign-ins in docs/security.md are tests that are there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
TESTS = REPOSITORY / "tests" / "integration" / "credentials" / "persons"


def test_every_named_test_is_there() -> None:
    page = (REPOSITORY / "docs" / "security.md").read_text()
    section = page.partition("### Persons at the console")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(test_\w+)`", section))
    there = {
        name
        for path in TESTS.glob("test_*.py")
        for name in re.findall(r"^async def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) >= 12
    assert named <= there
