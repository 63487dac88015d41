"""A violation is reproduced with fewer faults."""

import pytest

from tests.simulation.session import session
from tests.simulation.shrinking import shrink

_PROTECTION = "lease"


def test_faults_that_a_violation_does_not_need_are_left_out() -> None:
    with session([_PROTECTION]) as run:
        seed = next(seed for seed in range(150) if (found := run(seed, None)).violation and found.faults > 2)
        whole = run(seed, None)
    dropped, outcome = shrink(seed, [_PROTECTION])
    assert dropped
    assert whole.violation is not None
    assert outcome.violation is not None
    assert outcome.violation.number == whole.violation.number
    with session([_PROTECTION], dropped=dropped) as run:
        assert str(run(seed, None).violation) == str(outcome.violation)


def test_a_run_without_a_violation_cannot_be_shrunk() -> None:
    with pytest.raises(ValueError, match="no violation"):
        shrink(0)
