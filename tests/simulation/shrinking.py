"""Reduction of a run with a violation to as few faults as possible."""

from collections.abc import Collection

from tests.simulation.session import session
from tests.simulation.world import Outcome


def shrink(seed: int, missing: Collection[str] = ()) -> tuple[frozenset[int], Outcome]:
    """Return the numbers of the unnecessary faults, and the run without them.

    Each fault is left out in turn, the last one first, and stays out if the same invariant is still violated.
    Later draws may differ without a fault: each trial is a run of its own. Raises ValueError when the seed
    shows no violation.
    """
    dropped: frozenset[int] = frozenset()
    shortest = _run(seed, missing, dropped)
    if shortest.violation is None:
        raise ValueError(f"seed {seed} shows no violation")
    number = shortest.violation.number
    for fault in reversed(range(shortest.faults)):
        outcome = _run(seed, missing, dropped | {fault})
        if outcome.violation is not None and outcome.violation.number == number:
            dropped, shortest = dropped | {fault}, outcome
    return dropped, shortest


def _run(seed: int, missing: Collection[str], dropped: frozenset[int]) -> Outcome:
    with session(missing, dropped=dropped) as run:
        return run(seed, None)
