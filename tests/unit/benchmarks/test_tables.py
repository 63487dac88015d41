import pytest

from benchmarks.report.tables import part, verification
from benchmarks.report.wording import number, origin, table
from benchmarks.results import figure, ratio
from tests.unit.benchmarks.making import compared, results_of


@pytest.mark.parametrize(
    ("value", "text"),
    [(51334.4, "51,334"), (100, "100"), (12.34, "12.3"), (0.8249, "0.82"), (-3.14159, "-3.14")],
)
def test_a_number_has_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_a_row_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="cells"):
        table(["a", "b"], [["1"]])


def test_a_table_has_ours_and_the_others_with_our_ratio_to_them() -> None:
    mine = figure(
        "introspect-seen",
        "keyturn",
        "1/s",
        [50_000],
        p50=[1],
        p99=[1.5],
        ratios=[ratio("uvicorn", [50_000], [40_000])],
    )
    theirs = figure("introspect-seen", "uvicorn", "1/s", [40_000], p50=[1], p99=[2])
    shown = verification(results_of(mine, theirs, benchmark="verification"))
    row = "| introspection, seen before | 50,000/s, p99 1.50 ms | 40,000/s, p99 2.00 ms (1.25x) | – | – | – |"
    assert shown.splitlines()[-1] == row


def test_the_origin_says_where_when_and_what_is_left_out() -> None:
    line = origin(results_of(compared("verify", 1.0, "floor"), excluded=("TLS",)))
    text = line.replace("\n", " ")
    for said in ("2026-05-04", "`0123456789`", "Python 3.11.9", "Redis 8.0.1", "2 cores of a processor"):
        assert said in text
    assert "Not included: TLS." in text
    assert "Other work" not in text
    assert max(map(len, line.splitlines())) <= 120


def test_a_part_is_a_table_with_its_origin() -> None:
    shown = part(results_of(compared("verify", 0.75, "signature alone", of="PyJWT")))
    assert "| PyJWT | 0.75/s | 0.75x |\n\nMeasured on" in shown
