"""A fault of each kind of Redis, and a failover of PostgreSQL, in every test run.

How long callers are refused is for ``make engines`` to judge, on a quiet machine.
"""

from pathlib import Path

import pytest

from tests.engines.load import CHANGE, ENDED, INTROSPECTION, KEY, READY, SECRET, Rates
from tests.engines.run import Plan, run

_RATES = Rates(secrets=4.0, keys=3.0, introspections=3.0, changes=1.0, ended=3.0, ready=2.0)
_FAULTS = {
    "cluster": "primary killed",
    "sentinel": "primary frozen",
    "postgresql": "switched over, old primary a standby",
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", _FAULTS)
async def test_a_lost_primary_causes_no_internal_error_ends_no_task_and_revives_no_credential(
    engine: str, tmp_path: Path
) -> None:
    plan = Plan(engine, [_FAULTS[engine]], nodes=2, rates=_RATES, quiet=3.0, patience=240.0, keys=30)
    (made,) = await run(tmp_path, plan)
    assert made.failures == []
    assert made.away > 0
    assert {SECRET, KEY, INTROSPECTION, CHANGE, ENDED, READY} <= made.kinds.keys()
    assert made.kinds[ENDED].statuses[401] > 0
    for kind in (SECRET, KEY, INTROSPECTION, CHANGE):
        assert sum(count for status, count in made.kinds[kind].statuses.items() if 200 <= status < 300) > 0, (
            kind
        )
    if engine == "postgresql":
        assert made.kinds[CHANGE].statuses[503] > 0
        assert made.kinds[READY].statuses[503] > 0
        assert made.kinds[READY].statuses[200] > 0
