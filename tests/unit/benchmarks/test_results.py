from pathlib import Path

import pytest

from benchmarks.results import (
    DIRECTORY,
    Ratio,
    ResultsError,
    encode,
    figure,
    is_rate,
    percentile,
    ratio,
    read,
    write,
)
from tests.unit.benchmarks.making import results_of


def test_a_figure_is_the_median_of_its_rounds_and_of_their_latencies() -> None:
    made = figure("introspection", "keyturn", "1/s", [30.0, 10.0, 20.0], p50=[1, 2, 9], p99=[4, 8, 6])
    assert (made.value, made.p50, made.p99) == (20.0, 2, 6)
    assert made.rounds == (30.0, 10.0, 20.0)


def test_a_ratio_is_taken_within_a_round() -> None:
    made = ratio("floor", [10.0, 40.0, 90.0], [10.0, 20.0, 30.0], p99=([1, 2, 3], [2, 8, 3]))
    assert made == Ratio(to="floor", value=2.0, rounds=(1.0, 2.0, 3.0), p99=0.5)


def test_series_of_different_lengths_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio("floor", [1.0, 2.0], [1.0])


def test_the_99th_percentile_of_a_hundred_values_is_the_99th() -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], 0.99) == 99


def test_more_is_better_of_rates_alone() -> None:
    assert is_rate("1/s")
    assert not any(map(is_rate, ("µs", "ms", "s", "MiB", "bytes")))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    results = results_of(figure("a", "keyturn", "1/s", [1.0], ratios=[ratio("floor", [1.0], [2.0])]))
    write(tmp_path / "a.json", results)
    assert read(tmp_path / "a.json") == results
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("octets", [b"", b"{}", b"[1]", b'{"benchmark": 3}'])
def test_anything_else_is_refused_with_the_name_of_the_file(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "a.json").write_bytes(octets)
    with pytest.raises(ResultsError, match=r"a\.json has no results"):
        read(tmp_path / "a.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"b\.json cannot be read"):
        read(tmp_path / "b.json")


def test_a_member_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    octets = encode(results_of()).replace(b'"command"', b'"other": 1, "command"')
    (tmp_path / "a.json").write_bytes(octets)
    with pytest.raises(ResultsError, match="other"):
        read(tmp_path / "a.json")


def test_every_committed_file_has_the_results_of_its_name() -> None:
    stored = {path.stem: read(path).benchmark for path in DIRECTORY.glob("*.json")}
    assert stored == {name: name for name in stored}


def test_a_figure_is_found_by_name_server_and_position() -> None:
    first, second = (figure("a", "keyturn", "µs", [float(at)], at=at) for at in (1, 2))
    results = results_of(first, second)
    assert results.of("a", "keyturn", 2) == second
    assert results.of("a", "keyturn") is None
