"""A few seconds of fuzzing in every test run; ``make fuzz`` takes ten minutes."""

from pathlib import Path

from tests.fuzz.run import fuzz


def test_nothing_that_is_sent_breaks_a_reader_an_endpoint_or_a_connection(tmp_path: Path) -> None:
    tally = fuzz(tmp_path, seconds=5, first_seed=1000)
    assert set(tally.executions) == {"tokens", "key sets", "forms", "endpoints", "connections"}
    assert min(tally.executions.values()) > 0
    assert tally.statuses[400] > 0
