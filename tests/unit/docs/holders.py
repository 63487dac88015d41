"""The table of attackers' abilities: docs/holders.toml as docs/security.md shows it.

Run as a module, it rewrites the table.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[3]
DATA: Final = REPOSITORY / "docs" / "holders.toml"
PAGE: Final = REPOSITORY / "docs" / "security.md"
BEGIN: Final = "<!-- holders: begin -->\n"
END: Final = "<!-- holders: end -->\n"


@dataclass(frozen=True, slots=True)
class Cell:
    """``can``: the fact, in few words. ``tests``: (file, name) of those that show it."""

    can: str
    tests: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Holder:
    name: str
    holds: str
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Holders:
    """``columns``: heading of each. ``files``: path of each short name."""

    columns: dict[str, str]
    files: dict[str, str]
    rows: tuple[Holder, ...]

    def tests(self) -> list[tuple[str, str]]:
        """Return every test once, in the order of the table, as (path, name)."""
        cells = (row.cells[column] for row in self.rows for column in self.columns)
        return list(dict.fromkeys(test for cell in cells for test in cell.tests))


def read(path: Path = DATA) -> Holders:
    """Read the data. Raises KeyError for a missing cell or file."""
    found = tomllib.loads(path.read_text())
    files = found["files"]
    rows = tuple(_holder(row, found["columns"], files) for row in found["holders"])
    return Holders(found["columns"], files, rows)


def render(holders: Holders) -> str:
    """Build the table, followed by the tests, numbered as in the cells."""
    tests = holders.tests()
    numbers = {test: number for number, test in enumerate(tests, 1)}
    heads = ["holder", *holders.columns.values()]
    lines = [_line(heads), _line(["---"] * len(heads)).replace(" ", "")]
    for row in holders.rows:
        cells = [_cell(row.cells[column], numbers) for column in holders.columns]
        lines.append(_line([f"**{row.name}**: {row.holds}", *cells]))
    listed = [f"{numbers[test]}. `{test[0]}::{test[1]}`" for test in tests]
    return "\n".join([*lines, "", *listed]) + "\n"


def between(page: str) -> str:
    """Return the page's current table."""
    return page.partition(BEGIN)[2].partition(END)[0]


def _holder(row: dict[str, Any], columns: dict[str, str], files: dict[str, str]) -> Holder:
    cells = {column: Cell(row[column]["can"], _tests(row[column]["tests"], files)) for column in columns}
    return Holder(row["name"], row["holds"], cells)


def _tests(named: list[str], files: dict[str, str]) -> tuple[tuple[str, str], ...]:
    split = (each.split("::") for each in named)
    return tuple((files[file], name) for file, name in split)


def _cell(cell: Cell, numbers: dict[tuple[str, str], int]) -> str:
    return f"{cell.can} ({', '.join(str(numbers[test]) for test in cell.tests)})"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    written = PAGE.read_text()
    PAGE.write_text(written.replace(f"{BEGIN}{between(written)}{END}", f"{BEGIN}{render(read())}{END}"))
