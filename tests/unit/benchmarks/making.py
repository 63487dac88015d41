"""Results for tests."""

from benchmarks.results import Figure, Provenance, Results, figure, ratio

PROVENANCE = Provenance(
    commit="0123456789",
    date="2026-05-04T03:02Z",
    processor="a processor",
    cores=2,
    busy=0.1,
    versions={"Python": "3.11.9", "Redis": "8.0.1"},
)


def results_of(*figures: Figure, benchmark: str = "library", excluded: tuple[str, ...] = ()) -> Results:
    return Results(
        benchmark=benchmark,
        command="python -m benchmarks.verifier.library --rounds 3",
        provenance=PROVENANCE,
        excluded=excluded,
        figures=figures,
    )


def compared(name: str, value: float, to: str, *, unit: str = "1/s", of: str = "keyturn") -> Figure:
    """Make a figure with this ratio to something else."""
    return figure(name, of, unit, [value], ratios=[ratio(to, [value], [1.0])])
