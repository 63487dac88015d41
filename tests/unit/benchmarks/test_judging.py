import pytest

from benchmarks.report.judging import GUARDED, Guarded, Verdict, judge, lines
from benchmarks.report.plan import BY_NAME
from benchmarks.results import figure
from tests.unit.benchmarks.making import compared, results_of

RATE = Guarded("library", "verify", "floor", 0.15)
COST = Guarded("library", "cost", "floor", 0.15)


def _judged(guarded: Guarded, committed: float, now: float) -> Verdict:
    unit = "µs" if guarded is COST else "1/s"
    before, after = (
        {"library": results_of(compared(guarded.name, value, "floor", unit=unit))}
        for value in (committed, now)
    )
    (verdict,) = judge(before, after, [guarded])
    return verdict


@pytest.mark.parametrize(
    ("guarded", "committed", "now", "failed"),
    [
        (RATE, 2.0, 2.0, False),
        (RATE, 2.0, 1.72, False),
        (RATE, 2.0, 1.68, True),
        (RATE, 2.0, 9.0, False),
        (COST, 0.5, 0.5, False),
        (COST, 0.5, 0.57, False),
        (COST, 0.5, 0.60, True),
        (COST, 0.5, 0.1, False),
    ],
)
def test_a_ratio_fails_beyond_its_tolerance_in_the_direction_of_its_unit(
    guarded: Guarded, committed: float, now: float, failed: bool
) -> None:
    assert _judged(guarded, committed, now).failed is failed


def test_a_slower_machine_with_the_same_ratios_passes() -> None:
    fast = figure("verify", "keyturn", "1/s", [1000.0], ratios=compared("verify", 2.0, "floor").ratios)
    slow = figure("verify", "keyturn", "1/s", [10.0], ratios=compared("verify", 2.0, "floor").ratios)
    (verdict,) = judge({"library": results_of(fast)}, {"library": results_of(slow)}, [RATE])
    assert verdict.change == 0
    assert not verdict.failed


def test_a_better_ratio_is_a_positive_change_of_rates_and_of_costs() -> None:
    assert _judged(RATE, 2.0, 3.0).change == pytest.approx(0.5)
    assert _judged(COST, 0.6, 0.4).change == pytest.approx(0.5)


@pytest.mark.parametrize("missing", ["benchmark", "figure", "ratio"])
@pytest.mark.parametrize("side", ["committed", "now"])
def test_a_missing_ratio_fails(missing: str, side: str) -> None:
    whole = {"library": results_of(compared("verify", 2.0, "floor"))}
    lacking = {
        "benchmark": {},
        "figure": {"library": results_of()},
        "ratio": {"library": results_of(compared("verify", 2.0, "something else"))},
    }[missing]
    committed, now = (lacking, whole) if side == "committed" else (whole, lacking)
    (verdict,) = judge(committed, now, [RATE])
    assert verdict.failed
    assert "missing" in lines([verdict])[1]


def test_a_line_says_what_was_committed_what_is_now_and_what_is_allowed() -> None:
    line = lines([_judged(RATE, 2.0, 1.0)])[1]
    assert line.split() == ["library:", "verify", "/", "floor", "2.00", "1.00", "-50.0%", "-15%", "WORSE"]
    assert "WORSE" not in lines([_judged(RATE, 2.0, 1.9)])[1]


def test_every_guarded_benchmark_can_be_run_and_every_tolerance_is_a_share() -> None:
    assert {each.benchmark for each in GUARDED} <= BY_NAME.keys()
    assert all(0 < each.tolerance < 0.5 for each in GUARDED)
    assert len({(each.benchmark, each.name, each.of, each.to) for each in GUARDED}) == len(GUARDED)
