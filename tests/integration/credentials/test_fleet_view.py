"""The fleet in the admin API: at once, after a wait, and as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.fleet.membership import MembershipChannel, MembershipStatus
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.position import BEGINNING
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import eventually, running_node
from tests.testkit.redis import pause, resume
from tests.testkit.served import served


@pytest.fixture
async def api(tmp_path: Path, redis_url: str) -> AsyncIterator[AdminApi]:
    """The service with the keys of the tests' nodes, and short leases."""
    database = f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"
    settings = settings_for(
        database, redis_url, fleet_keys=FLEET_KEY, lease_seconds=4.0, lease_margin_seconds=0.5
    )
    async with running(settings) as started:
        yield started


async def fleet(api: AdminApi, query: str = "") -> dict[str, Any]:
    answer = await api.call("GET", f"/master/fleet{query}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def regenerate(api: AdminApi, uuid: str) -> httpx.Response:
    return await api.call("POST", f"/master/clients/{uuid}/client-secret", headers={"Prefer": "wait=0"})


async def test_each_node_shows_its_position_lag_lease_version_and_last_error(
    api: AdminApi, redis_url: str, redis_server: EmbeddedRedis
) -> None:
    async with running_node(redis_url, node_id="n1", node_url="http://n1.test:1/", renewal_seconds=1.0):
        view = await fleet(api)
        (node,) = view["nodes"]
        assert node["id"].startswith("n1.")
        assert (node["name"], node["base_url"]) == ("n1", "http://n1.test:1")
        assert node["applied"] == view["head"] > 0
        assert (node["behind"], node["lag_ms"], node["lease"]) == (0, 0, "held")
        assert 0 < node["lease_left_ms"] <= 4_500
        assert node["version"] == version("keyturn")
        assert node["last_error"] is None
        assert (view["applied"], view["fenced"], view["pending"], view["safe"]) == (1, 0, [], True)
        pause(redis_server)
        await asyncio.sleep(3.2)  # a renewal begins within a second, and meets its time limit of two
        resume(redis_server)

        async def complained() -> bool:
            return any(each["last_error"] == "redis_unavailable" for each in (await fleet(api))["nodes"])

        await eventually(complained)

        async def recovered() -> bool:
            nodes = (await fleet(api))["nodes"]
            return [each["last_error"] for each in nodes] == [None]

        await eventually(recovered)
    assert (await fleet(api))["nodes"] == []


async def test_a_caller_can_ask_again_until_a_change_is_safe(api: AdminApi, redis: Redis) -> None:
    uuid = await api.create("/master/clients", {"clientId": "worker"})
    slow = MembershipChannel(RedisScripts(redis), "slow")

    async def joined() -> bool:
        return (await slow.renew(BEGINNING, "{}")).status is MembershipStatus.RENEWED

    await eventually(joined)  # not before the relay has opened its first epoch
    answer = await regenerate(api, uuid)
    sequence = int(answer.headers["keyturn-sequence"])
    assert "preference-applied" not in answer.headers
    assert "applied=0, fenced=0" in answer.headers["keyturn-fleet"]

    async def published() -> bool:
        return bool((await fleet(api))["head"] == sequence)

    await eventually(published)
    pending = await fleet(api, f"?sequence={sequence}")
    assert (pending["pending"], pending["safe"], pending["sequence"]) == (["slow"], False, sequence)
    (node,) = pending["nodes"]
    assert (node["standing"], node["behind"]) == ("pending", sequence)
    assert node["lag_ms"] >= 0
    later = await fleet(api, f"?sequence={sequence}&wait=20")
    assert (later["fenced"], later["pending"], later["safe"]) == (1, [], True)
    assert [each["lease"] for each in later["nodes"]] == ["expired"]


async def test_a_sequence_that_is_no_number_is_refused(api: AdminApi) -> None:
    for query in ("?sequence=x", "?sequence=-1", "?sequence=1&wait=soon", f"?sequence={'9' * 16}"):
        assert (await api.call("GET", f"/master/fleet{query}")).status_code == 400, query


async def test_without_redis_nothing_is_said_about_the_fleet(
    api: AdminApi, redis_server: EmbeddedRedis
) -> None:
    redis_server.kill()
    for query in ("", "?sequence=1&wait=0"):
        answer = await api.call("GET", f"/master/fleet{query}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_stream_tells_of_every_movement(api: AdminApi, redis_url: str) -> None:
    uuid = await api.create("/master/clients", {"clientId": "worker"})
    bearer = {"Authorization": f"Bearer {await api.token()}"}
    async with served(api.app) as base_url, httpx.AsyncClient(trust_env=False, timeout=20) as http:
        url = f"{base_url}/admin/realms/master/fleet/stream"
        async with http.stream("GET", url, headers=bearer) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            assert (await _next(lines))["nodes"] == []
            async with running_node(redis_url, node_id="n1") as node:
                joined = await _until(lines, lambda seen: len(seen["nodes"]) == 1)
                assert joined["nodes"][0]["name"] == "n1"
                sequence = int((await regenerate(api, uuid)).headers["keyturn-sequence"])
                moved = await _until(
                    lines, lambda seen: any(flow["sequence"] == sequence for flow in seen["recent"])
                )
                if not moved["recent"][-1]["safe"]:
                    moved = await _until(lines, lambda seen: seen["recent"][-1]["safe"])
                flow = moved["recent"][-1]
                assert (flow["type"], flow["client_id"]) == ("client_secret_rotated", "worker")
                assert list(flow["applied_ms"]) == [moved["nodes"][0]["id"]]
                assert await node.ready()
            await _until(lines, lambda seen: seen["nodes"] == [])


async def _next(lines: AsyncIterator[str]) -> dict[str, Any]:
    async with asyncio.timeout(20):
        async for line in lines:
            if line.startswith("data: "):
                seen: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return seen
    raise AssertionError("the stream ended")


async def _until(lines: AsyncIterator[str], condition: Any) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while not condition(seen := await _next(lines)):
            pass
    return seen
