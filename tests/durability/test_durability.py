"""A short run on each database, in every test run."""

from pathlib import Path

import pytest

from tests.durability.run import run


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("database", "instances", "seconds"), [("postgresql", 2, 6.0), ("sqlite", 1, 4.0)], ids=str
)
async def test_no_acknowledged_change_is_lost(
    tmp_path: Path, database: str, instances: int, seconds: float
) -> None:
    verdict = await run(
        tmp_path,
        database=database,
        instances=instances,
        writers=8,
        seconds=seconds,
        pause=2.0,
        seed=3,
        kill_database=instances > 1,
    )
    assert verdict.wrong == []
    assert verdict.acknowledged > 0
    # The complete stream at the end proves that another instance relayed.
    assert verdict.kills["relaying instance"] > 0, "the run has to have shown something"
