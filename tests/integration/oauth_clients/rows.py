"""Working features of a library, as rows of docs/oauth-clients.md."""

from dataclasses import dataclass, field
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "oauth-clients.md"


@dataclass
class Row:
    """One method of client authentication. ``algorithms``: those tested, in order."""

    method: str
    algorithms: list[str] = field(default_factory=list)
    does: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        cells = (f"`{self.method}`", ", ".join(self.algorithms) or "–", ", ".join(self.does))
        return f"| {' | '.join(cells)} |"


class Worked:
    """Rows of one library, extended with every success."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    @property
    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def token(self, method: str, alg: str, succeeded: bool) -> None:
        """Note that an access token was issued."""
        self._note(method, alg, "token", succeeded)

    def introspection(self, method: str, alg: str, succeeded: bool) -> None:
        """Note that introspection, with the same authentication, reported the token as active."""
        self._note(method, alg, "introspection", succeeded)

    def _note(self, method: str, alg: str, what: str, succeeded: bool) -> None:
        assert succeeded, (method, alg, what)
        row = self._rows.setdefault(method, Row(method))
        if alg and alg not in row.algorithms:
            row.algorithms.append(alg)
        if what not in row.does:
            row.does.append(what)


def documented(library: str) -> list[str]:
    """Return the rows of a library's table."""
    section = DOCUMENT.read_text().partition(f"## {library}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]
