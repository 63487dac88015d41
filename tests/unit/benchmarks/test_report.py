import sys
from pathlib import Path

import pytest

from benchmarks.report import __main__ as report
from benchmarks.report.charts import CHARTS
from benchmarks.report.plan import Planned
from benchmarks.report.running import BenchmarkError
from benchmarks.results import Figure, Results, figure, ratio, read, write
from tests.unit.benchmarks.making import compared, results_of

LIBRARY = results_of(compared("verify", 0.5, "signature alone", of="PyJWT"))
PAGE = """<!-- bench:jose_verify -->
former
<!-- /bench:jose_verify -->
<!-- bench:library -->
former
<!-- /bench:library -->
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    (tmp_path / "performance.md").write_text(PAGE)
    return tmp_path


def _report(monkeypatch: pytest.MonkeyPatch, directory: Path, *arguments: str) -> int:
    names = ("--only", "jose_verify", "library")
    monkeypatch.setattr(sys, "argv", ["report", "--into", str(directory), *names, *arguments])
    return report.main()


def test_a_benchmark_that_fails_is_named_and_leaves_its_table(
    monkeypatch: pytest.MonkeyPatch, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(planned: Planned, *, quick: bool) -> Results:
        if planned.name == "library":
            return LIBRARY
        raise BenchmarkError("ended with exit code 3")

    monkeypatch.setattr(report, "run", run)
    assert _report(monkeypatch, directory) == 1
    page = (directory / "performance.md").read_text()
    assert "<!-- bench:jose_verify -->\nformer\n" in page
    assert "| PyJWT | 0.50/s | 0.50x |" in page
    assert "jose_verify ended with exit code 3; what was there before stays" in capsys.readouterr().out
    assert [path.name for path in (directory / "results").iterdir()] == ["library.json"]
    assert read(directory / "results" / "library.json") == LIBRARY


def test_stored_results_are_written_without_measuring(
    monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    monkeypatch.setattr(report, "run", None)
    write(directory / "results" / "library.json", LIBRARY)
    assert _report(monkeypatch, directory, "--stored") == 0
    assert "| PyJWT |" in (directory / "performance.md").read_text()


def test_a_file_that_has_no_results_is_named_and_leaves_the_page(
    monkeypatch: pytest.MonkeyPatch, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "results" / "library.json").write_text("[]")
    assert _report(monkeypatch, directory, "--stored") == 1
    assert (directory / "performance.md").read_text() == PAGE
    assert "library library.json has no results" in capsys.readouterr().out


def test_every_chart_is_drawn_of_the_results_that_it_names() -> None:
    def curve(name: str, of: str, unit: str) -> list[Figure]:
        return [figure(name, of, unit, [at], p50=[at], p99=[2 * at], at=at) for at in (1.0, 10.0)]

    token = figure("client_secret_basic", "keyturn", "1/s", [9.0], p99=[1.0], ratios=[ratio("a", [1], [1])])
    ways = ("the same hundred clients", "clients that ask once")
    kinds = ("token by secret", "introspection")
    figures = {
        "token_endpoint": [token],
        "verification": [figure("introspect-seen", "keyturn", "1/s", [5.0], p99=[2.0])],
        "offered_load": [
            each
            for kind in ("token by secret", "introspect-seen")
            for name in ("keyturn", "oidc-provider")
            for each in curve(kind, name, "1/s")
        ],
        "clients": [each for kind in kinds for way in ways for each in curve(kind, way, "µs")],
        "propagation": [
            each
            for name in ("to the last node applied", "to the end of the wait", "processor time of a node")
            for each in curve(name, "nodes", "ms")
        ],
    }
    found = {name: results_of(*some, benchmark=name) for name, some in figures.items()}
    for chart in CHARTS.values():
        svg = chart.draw({name: found[name] for name in chart.needs})
        assert "a processor, 2026-05-04, commit 0123456789" in svg
