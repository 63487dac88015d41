"""A short storm, with every kind of fault, as part of every test run."""

from pathlib import Path

import pytest

from tests.storm.run import Plan, storm


@pytest.mark.timeout(300)
async def test_no_node_accepts_an_ended_credential_after_a_wait_succeeded(tmp_path: Path) -> None:
    plan = Plan(nodes=5, seconds=10.0, rate=15.0, clients=60, lease=2.0, rest=1.5, seed=7)
    verdict = await storm(tmp_path, plan)
    assert verdict.failures == []
    assert verdict.tally.keys > 0
    assert verdict.tally.secrets > 0
    assert verdict.probed.total >= verdict.tally.safe * plan.nodes
