"""A long search is recorded in a file, and continues after its last seed."""

import json
import pickle
from pathlib import Path

from tests.simulation.invariants import ViolationError
from tests.simulation.results import Total, append_result, next_seed


def test_a_search_goes_on_after_the_last_seed_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "results"
    assert next_seed(path) == 0
    append_result(path, Total(seeds=50, seconds=2.0), first=1_000, without=[], intruded=False)
    append_result(path, Total(seeds=25, seconds=1.0), first=1_050, without=[], intruded=False)
    assert next_seed(path) == 1_075
    first, _ = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (first["first"], first["seeds"], first["seeds_per_second"]) == (1_000, 50, 25.0)
    assert first["violations"] == []


def test_a_violation_that_another_process_found_arrives_as_it_was() -> None:
    found = pickle.loads(pickle.dumps(ViolationError(5, "a state from before")))
    assert (found.number, str(found)) == (5, "invariant 5: a state from before")
