"""After Redis was lost the fleet recovers by itself, without a wrong answer."""

from pathlib import Path

import pytest

from benchmarks.refill.run import refill


@pytest.mark.timeout(300)
async def test_a_fleet_that_lost_redis_answers_rightly_or_not_at_all_until_it_is_whole(
    tmp_path: Path,
) -> None:
    outcome = await refill(tmp_path, clients=3000, nodes=2)
    assert outcome.answers.wrong == []
    assert outcome.answers.counts["known", 200] > 0
    assert len(outcome.revocations) > 0
