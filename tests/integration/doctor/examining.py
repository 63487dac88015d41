"""Runs of the doctor in the test's process, and an installation for it: one credentials service, one node."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from keyturn.doctor.examination import CHECKS, examine
from keyturn.doctor.findings import Area, AreaReport, exit_code
from keyturn.doctor.scene import opened
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.fleet.layout import Layout
from tests.testkit.admin_api import AdminApi, running
from tests.testkit.nodes import RunningNode, eventually, running_node

SECONDS: Final = 30.0
WITHOUT_GATEWAY: Final = frozenset(CHECKS) - {Area.GATEWAY}
_SPEED: Final = frozenset({"redis_slow", "database_slow"})
"""A busy machine is slow; tests of these findings make it slower."""


async def diagnosed(
    settings: CredentialsSettings,
    areas: Collection[Area] = WITHOUT_GATEWAY,
    *,
    clock: Clock | None = None,
    seconds: float = SECONDS,
    slow: bool = False,
) -> tuple[list[str], int]:
    """Return the codes of all findings, sorted, and the exit code. ``slow``: findings about speed too."""
    reports = await reported(settings, areas, clock=clock, seconds=seconds)
    for report in reports:
        report.findings = [each for each in report.findings if slow or each.code not in _SPEED]
    codes = sorted(finding.code for report in reports for finding in report.findings)
    return codes, int(exit_code(reports, strict=False))


async def reported(
    settings: CredentialsSettings,
    areas: Collection[Area] = WITHOUT_GATEWAY,
    *,
    clock: Clock | None = None,
    seconds: float = SECONDS,
) -> list[AreaReport]:
    """Return the reports."""
    async with opened(settings, clock or SystemClock(), seconds) as scene:
        reports, _ = await examine(scene, areas)
    return reports


def file_of(settings: CredentialsSettings) -> Path:
    """Return SQLite's file."""
    return Path(settings.database_url.partition("///")[2])


@dataclass
class Installation:
    """An installation in which a test plants a fault."""

    settings: CredentialsSettings
    api: AdminApi
    redis: Redis
    node: RunningNode | None

    async def plant_node(self, record: str) -> None:
        """Write a node's record."""
        await self.redis.hset(Layout().nodes, "planted", record)

    async def record(self, *, expires: int, behind: int = 0, details: str = "{}") -> str:
        """Build a record. ``expires``: ms from now. ``behind``: events not applied."""
        head = await self.redis.hgetall(Layout().head)
        seconds, microseconds = await self.redis.time()
        now = seconds * 1000 + microseconds // 1000
        sequence = max(0, int(head[b"sequence"]) - behind)
        return f"{now + expires}|{now}|11000|{int(head[b'epoch'])}|{sequence}|{details}"


@asynccontextmanager
async def installed(
    settings: CredentialsSettings, redis: Redis, *, node: bool = True, **of_node: Any
) -> AsyncIterator[Installation]:
    """Run the credentials service and a node, and wait until Redis is filled and the node has joined."""
    async with running(settings) as api:

        async def is_filled() -> bool:
            return bool(await redis.hget(Layout().head, "complete") == b"1")

        await eventually(is_filled)
        if not node:
            yield Installation(settings, api, redis, None)
            return
        of_node.setdefault("fleet_keys", settings.fleet_keys.get_secret_value())
        async with running_node(settings.redis_url, **of_node) as joined:
            yield Installation(settings, api, redis, joined)
