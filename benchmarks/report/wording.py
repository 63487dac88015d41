"""Figures and their origin as text of a page."""

import textwrap
from collections.abc import Sequence
from typing import Final

from benchmarks.results import Figure, Ratio, Results

NOTHING: Final = "–"
_COLUMNS: Final = 120
_QUIET: Final = 0.1
"""Cores that a machine needs for itself."""


def number(value: float) -> str:
    """Return three digits that count, or all before the point: 51,334, 12.3, 0.82."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def quantity(value: float, unit: str) -> str:
    return f"{number(value)}/s" if unit == "1/s" else f"{number(value)} {unit}"


def measured(figure: Figure | None) -> str:
    """Return a figure with its p99, which is left out of times that are their own median."""
    if figure is None:
        return NOTHING
    text = quantity(figure.value, figure.unit)
    return text if figure.p99 is None else f"{text}, p99 {number(figure.p99)} ms"


def times(ratio: Ratio | None) -> str:
    return NOTHING if ratio is None else f"{number(ratio.value)}x"


def compared(figure: Figure | None, ratio: Ratio | None) -> str:
    """Return a figure of something else with the ratio of ours to it."""
    if figure is None or ratio is None:
        return NOTHING
    return f"{measured(figure)} ({times(ratio)})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of Markdown. Raises ValueError for a row of another length."""
    lines = [header, ["---"] * len(header), *rows]
    if any(len(line) != len(header) for line in lines):
        raise ValueError("a row has more or fewer cells than the header")
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def origin(results: Results) -> str:
    """Return the line under a table: its command, commit, versions and machine, and what it leaves out."""
    by = results.provenance
    commit = by.commit.rstrip("+")
    changed = " with changes" if by.commit.endswith("+") else ""
    versions = ", ".join(f"{name} {version}" for name, version in by.versions.items())
    rounds = max(len(figure.rounds) for figure in results.figures)
    parts = [
        f"Measured on {by.date[:10]} by `{results.command}` at commit `{commit}`{changed}",
        f"{by.cores} cores of {by.processor}",
        versions,
    ]
    text = f"{'; '.join(parts)}."
    text += f" Medians of {rounds} rounds; ratios are taken within a round." if rounds > 1 else " One round."
    if results.excluded:
        text += f" Not included: {', '.join(results.excluded)}."
    if by.busy > _QUIET:
        text += f" Other work took {by.busy} cores just before."
    return "\n".join(textwrap.wrap(text, _COLUMNS, break_long_words=False, break_on_hyphens=False))
