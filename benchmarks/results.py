"""Results of a benchmark: measured figures with where they come from, as JSON in a file.

A figure is the median of its rounds. Its ratios compare it with others of the same run, round by round, since
the speed of a machine changes between runs: ratios can be compared between runs, figures cannot.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

DIRECTORY: Final = Path(__file__).with_name("results")
"""Directory of the committed results."""


class ResultsError(Exception):
    """A file of results cannot be read."""


class Ratio(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Median of a figure's rounds, each divided by the same round of ``to``. ``p99``: of the latencies."""

    to: str
    value: float
    rounds: tuple[float, ...]
    p99: float | None = None


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A measured quantity.

    ``name``: the kind of load; ``of``: the server or program. ``value``: median of ``rounds``, in ``unit``.
    ``p50`` and ``p99``: medians of the rounds' latencies, in ms. ``at``: position on the axis of a curve.
    """

    name: str
    of: str
    unit: str
    value: float
    rounds: tuple[float, ...]
    p50: float | None = None
    p99: float | None = None
    at: float | None = None
    ratios: tuple[Ratio, ...] = ()

    def ratio_to(self, other: str) -> Ratio | None:
        return next((ratio for ratio in self.ratios if ratio.to == other), None)


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Origin of results. ``commit``: ends in ``+`` if there were changes beside it. ``date``: in UTC, ISO
    8601. ``busy``: cores that other work took just before. ``versions``: by program or library."""

    commit: str
    date: str
    processor: str
    cores: int
    busy: float
    versions: dict[str, str]


class Results(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One run of one benchmark. ``command``: its arguments. ``excluded``: parts of the work that are not in
    the figures."""

    benchmark: str
    command: str
    provenance: Provenance
    excluded: tuple[str, ...]
    figures: tuple[Figure, ...]

    def of(self, name: str, of: str, at: float | None = None) -> Figure | None:
        """Return a figure, or None if it was not measured."""
        return next(
            (each for each in self.figures if (each.name, each.of, each.at) == (name, of, at)),
            None,
        )


def figure(
    name: str,
    of: str,
    unit: str,
    rounds: Sequence[float],
    *,
    p50: Sequence[float] = (),
    p99: Sequence[float] = (),
    at: float | None = None,
    ratios: Sequence[Ratio] = (),
) -> Figure:
    """Make a figure of its rounds; ``p50`` and ``p99`` are the latencies of each."""
    return Figure(
        name=name,
        of=of,
        unit=unit,
        value=rounded(statistics.median(rounds)),
        rounds=tuple(map(rounded, rounds)),
        p50=rounded(statistics.median(p50)) if p50 else None,
        p99=rounded(statistics.median(p99)) if p99 else None,
        at=at,
        ratios=tuple(ratios),
    )


def ratio(
    to: str,
    mine: Sequence[float],
    theirs: Sequence[float],
    *,
    p99: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Ratio:
    """Compare two series within each round. ``p99``: the latencies of both. Raises ValueError for series of
    different lengths."""
    rounds = [one / other for one, other in zip(mine, theirs, strict=True)]
    of_p99 = None
    if p99 is not None:
        of_p99 = rounded(statistics.median(one / other for one, other in zip(*p99, strict=True)))
    return Ratio(
        to=to, value=rounded(statistics.median(rounds)), rounds=tuple(map(rounded, rounds)), p99=of_p99
    )


def rounded(value: float) -> float:
    """Return five significant digits, more than any measurement has."""
    return float(f"{value:.5g}")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all reach or stay below. Raises IndexError for none."""
    return sorted(values)[int(share * (len(values) - 1))]


def is_rate(unit: str) -> bool:
    """Tell rates, of which more is better, from times and sizes, of which less is."""
    return unit.endswith("/s")


def encode(results: Results) -> bytes:
    """Return indented JSON that ends with a line feed."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"


def read(path: Path) -> Results:
    """Read a file of results. Raises ResultsError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError as error:
        raise ResultsError(f"{path.name} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ResultsError(f"{path.name} has no results: {error}") from error


def write(path: Path, results: Results) -> None:
    """Replace a file of results as a whole."""
    new = path.with_name(f"{path.name}.tmp")
    new.write_bytes(encode(results))
    new.replace(path)
