"""A short storm, with every kind of fault at least tried, as part of every test run."""

from pathlib import Path

import pytest

from tests.storm.run import storm


@pytest.mark.timeout(180)
async def test_no_node_accepts_a_former_secret_after_a_successful_wait(tmp_path: Path) -> None:
    verdict = await storm(tmp_path, nodes=5, seconds=10.0, rate=15.0, clients=60, seed=7, pause=1.5)
    assert verdict.tally.violations == []
    assert verdict.disagreements == []
    assert verdict.tally.probes > 0, "the storm has to have shown something"
