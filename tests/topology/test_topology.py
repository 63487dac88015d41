"""Restarts that were not free of failures before, in every test run; ``make topology`` has all."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest

from tests.testkit.admin_client import Admin
from tests.testkit.http_client import Server
from tests.testkit.waiting import in_time, wait_until
from tests.topology.callers import ENDED, INTROSPECTION, KEY, ROTATED, ROTATION, SECRET, VERIFY, Rates
from tests.topology.deployment import Deployment, Size
from tests.topology.run import Plan, Step, restarts, run
from tests.topology.table import table

_PLAN = Plan(
    seconds=0.0,
    quiet=0.5,
    size=Size(credentials=2, nodes=1, fetchers=0),
    rates=Rates(
        secrets=2.0,
        keys=1.0,
        url_keys=0.5,
        introspections=1.0,
        verifications=1.0,
        rotations=1.0,
        ended=1.0,
        console=0.5,
        admin_reads=0.5,
    ),
)


def _steps(deployment: Deployment) -> list[Step]:
    """Return steps of which the second comes while nginx may remember that the first component was away."""
    ended = Step("end", "credentials-1", partial(_end_while_a_change_waits, deployment), may_fail=True)
    return [*restarts([*deployment.credentials, deployment.gateway]), ended]


async def _end_while_a_change_waits(deployment: Deployment) -> None:
    """Check that a change which waits for a killed node is still answered when its process is told to end."""
    service, node = deployment.credentials[0], deployment.nodes[0]
    assert service.process is not None
    assert node.process is not None
    server, other = (Server(each.url, connections=2) for each in deployment.credentials[:2])
    admin, reader = Admin(server, [server]), Admin(other, [other])
    await admin.fleet()
    node.process.kill()
    headers, body = {"Prefer": "wait=60"}, json.dumps({"clientId": "waiting"}).encode()
    changing = asyncio.create_task(admin.call("POST", "/clients", body, headers=headers))

    async def is_committed() -> bool:
        return bool(json.loads((await reader.call("GET", "/clients?clientId=waiting")).body))

    await wait_until(is_committed)
    await asyncio.to_thread(service.process.stop, 30.0)
    answer = await in_time(changing)
    assert (answer.status, "preference-applied" in answer.headers) == (201, False), answer
    for each in (server, other):
        each.close()


@pytest.mark.timeout(600)
async def test_no_request_fails_while_processes_are_restarted_one_after_the_other(tmp_path: Path) -> None:
    result = await run(tmp_path, _PLAN, _steps)
    assert result.passed, table([result])
    assert result.rotated > 0
    kinds = {SECRET, KEY, INTROSPECTION, VERIFY, ROTATION, ROTATED, ENDED}
    assert kinds <= {kind for outcome in result.outcomes for kind in outcome.kinds}
