"""Faults of nodes: each is found, and nothing else."""

import pytest
from redis.asyncio import Redis

from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.sealing import KeyRing
from tests.integration.doctor.examining import Installation, diagnosed, installed
from tests.testkit.nodes import eventually


async def test_no_node(settings: CredentialsSettings, redis: Redis) -> None:
    async with installed(settings, redis, node=False):
        assert await diagnosed(settings) == (["fleet_empty"], 1)


@pytest.mark.parametrize(
    ("expires", "behind", "details", "code"),
    [
        (-1_000, 0, "{}", "node_fenced"),
        (-1_000, 0, '{"serves_stale": true}', "node_answers_stale"),
        (600_000, 1, "{}", "node_behind"),
        (600_000, 0, '{"version": "0.0.1"}', "node_other_release"),
        (600_000, 0, '{"fleet_keys": ["00000000"]}', "node_other_fleet_key"),
    ],
)
async def test_a_node_with_a_fault(
    installation: Installation, expires: int, behind: int, details: str, code: str
) -> None:
    await installation.plant_node(await installation.record(expires=expires, behind=behind, details=details))
    warns = code == "node_other_release"
    assert await diagnosed(installation.settings) == ([code], 0 if warns else 1)


async def test_a_record_that_is_none(installation: Installation) -> None:
    await installation.plant_node("not a record")
    assert await diagnosed(installation.settings) == (["node_record_unreadable"], 0)


async def test_a_node_that_serves_stale(settings: CredentialsSettings, redis: Redis) -> None:
    async with installed(settings, redis, serve_stale=True):
        assert await diagnosed(settings) == (["node_serves_stale"], 0)


async def test_a_node_with_another_fleet_key(settings: CredentialsSettings, redis: Redis) -> None:
    """It believes the log, whose keys it has, and holds a lease: only its record tells."""
    other = KeyRing.generate_key()
    public = settings.log_keys().public_keys
    async with installed(settings, redis, fleet_keys=other, log_verification_keys=public):
        assert await diagnosed(settings) == (["node_other_fleet_key"], 1)


async def test_a_node_with_a_wrong_clock(installation: Installation, redis: Redis) -> None:
    assert installation.node is not None
    installation.node.clock.ahead = 60.0
    before = await redis.hvals(Layout().nodes)

    async def has_reported() -> bool:
        return bool(await redis.hvals(Layout().nodes) != before)

    await eventually(has_reported)
    assert await diagnosed(installation.settings) == (["node_clock_differs"], 0)
