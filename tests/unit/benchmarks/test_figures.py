"""Figures that benchmarks hand over."""

from benchmarks.propagation import Figures
from benchmarks.propagation import figures as of_propagation
from benchmarks.results import Ratio
from benchmarks.verifier import offered_load
from benchmarks.verifier.open_loop import OpenLoopResult
from benchmarks.verifier.verification import Measured
from benchmarks.verifier.verification import figures as of_verification
from benchmarks.verifier.wrk import WrkResult
from tests.unit.benchmarks.making import results_of


def _offered(rate: float, p99: float) -> OpenLoopResult:
    return OpenLoopResult(
        offered=rate, per_second=rate, p50=p99 / 2, p99=p99, unanswered=0, refused=0, busy=0.5
    )


def test_the_greatest_load_within_the_bound_is_compared_in_each_round() -> None:
    found = {
        "keyturn": {0.5: [_offered(500, 1), _offered(500, 1)], 0.9: [_offered(900, 9), _offered(900, 11)]},
        "oidc-provider": {
            0.5: [_offered(100, 2), _offered(100, 2)],
            0.9: [_offered(180, 50), _offered(180, 9)],
        },
    }
    highest = {"keyturn": _offered(1000, 30), "oidc-provider": _offered(200, 150)}
    results = results_of(*offered_load.figures("token by secret", highest, found))
    bounded = results.of("token by secret, p99 within 10 ms", "keyturn")
    assert bounded is not None
    assert list(bounded.rounds) == [900, 500]
    compared = bounded.ratio_to("oidc-provider")
    assert compared is not None
    assert list(compared.rounds) == [9.0, 2.7778]


def test_a_batch_counts_its_tokens_against_the_signatures_of_the_floor() -> None:
    measured = Measured({"keyturn": [WrkResult(10, 1, 2)], "signature floor": [WrkResult(2000, 0, 0)]})
    mine, floor = of_verification("verify-new", measured)
    assert (mine.value, mine.p99) == (1000, 2)
    assert mine.ratio_to("signature floor") == Ratio(to="signature floor", value=0.5, rounds=(0.5,))
    assert (floor.value, floor.p99) == (2000, None)


def test_fleets_are_compared_with_the_smallest_one() -> None:
    measured = {1: Figures([2.0], [4.0], [900.0]), 3: Figures([6.0], [8.0], [900.0, 1800.0, 1800.0])}
    results = results_of(*of_propagation(measured))
    applied = results.of("to the last node applied", "3 nodes", 3)
    cost = results.of("processor time of a node", "3 nodes", 3)
    assert applied is not None
    assert cost is not None
    assert applied.ratio_to("1 node") == Ratio(to="1 node", value=3.0, rounds=(3.0,), p99=3.0)
    assert cost.ratio_to("1 node") == Ratio(to="1 node", value=2.0, rounds=(2.0,))
