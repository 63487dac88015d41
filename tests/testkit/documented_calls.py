"""The tables of docs/keycloak-compatibility.md: which calls of a library work."""

import re
from pathlib import Path
from typing import Final

_DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "keycloak-compatibility.md"


def documented(library: str) -> list[str]:
    """Return the calls in a library's table."""
    section = _DOCUMENT.read_text().partition(f"## {library}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [row.split("`")[1] for row in rows]


def shape(path: str) -> str:
    """Return a path without its parameters' names."""
    return re.sub(r"\{[^}]*\}", "{}", path)
