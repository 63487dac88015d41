"""The check of histories, on imaginary fleets: it accepts a correct one, and finds the fault of a broken
one."""

from tests.storm.history import Promise
from tests.storm.imagined import TERM, ImaginedFleet
from tests.storm.linearizability import ENDED, WENT_BACK, check

_SEEDS = range(60)


def test_a_fleet_that_keeps_its_promises_is_never_accused() -> None:
    for seed in _SEEDS:
        judged = check(ImaginedFleet(seed).history(), Promise(TERM))
        assert judged.violations == [], (seed, str(judged.violations[0]))


def test_a_node_that_does_not_apply_ends_is_found_within_a_few_histories() -> None:
    found = [check(ImaginedFleet(seed, deaf="n2").history(), Promise(TERM)).violations for seed in range(20)]
    assert any(each.rule == ENDED for violations in found for each in violations)
    assert {getattr(each.calls[-1], "node", "") for violations in found for each in violations} == {"n2"}


def test_a_node_that_answers_from_an_older_position_is_found_within_a_few_histories() -> None:
    fleets = [ImaginedFleet(seed, forgetful="n3") for seed in range(20)]
    found = [each for fleet in fleets for each in check(fleet.history(), Promise(TERM)).violations]
    assert any(each.rule == WENT_BACK for each in found)
