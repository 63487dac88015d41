"""Redis with replicas and a Sentinel: services find the primary, and the next one after a change."""

from pathlib import Path

from tests.integration.engines.whole import Whole, whole
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import SentinelGroup
from tests.testkit.waiting import wait_until


async def test_services_go_on_with_the_primary_that_the_sentinel_names(
    processes: Processes, tmp_path: Path
) -> None:
    group = await SentinelGroup.start(processes, tmp_path / "redis")
    async with whole(tmp_path, group.url) as fleet:
        worker = await fleet.make_client("steady")
        former = await fleet.regenerate(worker)
        assert await fleet.by_secret("steady", former) == {200}

        lost = await group.primary()
        lost.process.kill()
        await group.until_other_primary_than(lost)
        lost.start()
        current = await fleet.regenerate(worker)
        assert await fleet.by_secret("steady", former) <= {401, 503}
        await wait_until(lambda: _accepted(fleet, "steady", current), timeout=30)

        # A primary that was only stopped comes back as one without replicas, until the Sentinel reconfigures
        # it.
        stopped = await group.primary()
        stopped.process.pause()
        await group.until_other_primary_than(stopped)
        stopped.process.resume()
        former, current = current, await fleet.regenerate(worker)
        assert await fleet.by_secret("steady", former) <= {401, 503}
        await wait_until(lambda: _accepted(fleet, "steady", current), timeout=30)
        assert await fleet.by_secret("steady", former) == {401}


async def _accepted(fleet: Whole, client_id: str, secret: str) -> bool:
    return await fleet.by_secret(client_id, secret) == {200}
