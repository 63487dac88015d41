"""A short storm, with every fault of processes and faults at the edges, in every test run."""

from pathlib import Path

import pytest

from tests.storm.edges import NODES_REDIS
from tests.storm.history import Presentation, Violation
from tests.storm.linearizability import ENDED, FALSELY_REFUSED, TWICE, check
from tests.storm.plan import Plan
from tests.storm.run import storm
from tests.storm.stage import staged
from tests.storm.without import CLAIMS, KEY_EVENTS, LEASES, TOKEN_COUNTS

_SMALL = Plan(
    nodes=3, seconds=6.0, rate=4.0, asks=15.0, clients=20, lease=2.0, rest=1.5, network=0.25, seed=7
)
_WITHOUT = Plan(
    nodes=2,
    seconds=1.0,
    clients=5,
    lease=4.0,
    patience=60.0,
    without=f"{KEY_EVENTS}+{TOKEN_COUNTS},{CLAIMS}+{LEASES}",
    sqlite=True,
)


@pytest.mark.timeout(600)
async def test_one_order_of_changes_explains_every_answer_of_a_storm(tmp_path: Path) -> None:
    verdict = await storm(tmp_path, _SMALL)
    assert verdict.failures == []
    assert verdict.judged.grants > 0
    assert verdict.judged.refusals > 0


@pytest.mark.timeout(600)
async def test_the_check_notices_each_node_that_lacks_a_protection(tmp_path: Path) -> None:
    async with staged(tmp_path, _WITHOUT) as stage:
        stage.probes.until_decided = True
        secret, _, keys, *_ = stage.actors
        for each in (secret, keys):
            await each.show_live_everywhere()
        await keys.end_one(waits=True)
        await keys.show_twice()
        await secret.disable_and_enable()
        await stage.probes.finish()
        await secret.show_live_everywhere()
        for proxy in stage.fleet.edges.links[NODES_REDIS][1]:
            proxy.fall_silent()
        await secret.end_one(waits=True)
        await stage.probes.finish()
        judged = check(stage.recorder.history, _WITHOUT.promise)
    found = {(each.rule, _node(each), *each.about[:1]) for each in judged.violations}
    assert found == {
        (ENDED, "node-0", "key"),
        (ENDED, "node-0", "token"),
        (TWICE, "node-1"),
        (ENDED, "node-1", "secret"),
        (FALSELY_REFUSED, "node-1", "secret"),
    }


def _node(violation: Violation) -> str | None:
    """Return the node at fault."""
    nodes = {call.node for call in violation.calls if isinstance(call, Presentation)}
    return "node-1" if violation.rule == TWICE and "node-1" in nodes else nodes.pop()
