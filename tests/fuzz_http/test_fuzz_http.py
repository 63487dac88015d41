"""A few seconds of fuzzing in every test run; ``make fuzz-http`` takes ten minutes."""

from pathlib import Path

import pytest

from tests.fuzz_http.run import fuzz


@pytest.mark.timeout(600)
def test_no_stream_is_read_otherwise_than_by_others_or_breaks_a_process(tmp_path: Path) -> None:
    tally = fuzz(tmp_path, seconds=5, first_seed=1000)
    assert min(tally.read.values()) > 0
    assert min(tally.refused.values()) > 0
