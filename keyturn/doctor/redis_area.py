"""Redis: the server, the user's rights, and the log that the relay keeps there. Writes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any, Final

from prometheus_client import CollectorRegistry
from redis.exceptions import NoPermissionError, ResponseError

from keyturn.doctor.diagnoses import backends
from keyturn.doctor.findings import AreaReport, Finding
from keyturn.doctor.redis_judgement import (
    LogInDatabase,
    command_in,
    denied,
    judge_clock,
    judge_failure,
    judge_head,
    judge_server,
    judge_settings,
    judge_speed,
)
from keyturn.doctor.scene import Scene, median_seconds
from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.relay.redis_check import RedisCheck, only_answer, primary_of
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import Endpoint
from keyturn_shared.redis_failures import REDIS_FAILURES

_LAYOUT: Final = Layout()
_COMMANDS: Final = (
    ("hget", _LAYOUT.head, "f"),
    ("hmget", _LAYOUT.head, "f"),
    ("hgetall", _LAYOUT.head),
    ("hvals", _LAYOUT.nodes),
    ("hlen", _LAYOUT.nodes),
    ("hset", _LAYOUT.head, "f", "v"),
    ("hsetnx", _LAYOUT.claimants, "f", "v"),
    ("hdel", _LAYOUT.nodes, "f"),
    ("xadd", _LAYOUT.events, "*", "f", "v"),
    ("xrange", _LAYOUT.events, "-", "+"),
    ("xinfo", "stream", _LAYOUT.events),
    ("rename", _LAYOUT.projections(1), _LAYOUT.projections(2)),
    ("unlink", _LAYOUT.projections(1)),
    ("get", _LAYOUT.head),
    ("mget", _LAYOUT.head),
    ("exists", _LAYOUT.head),
    ("pttl", _LAYOUT.head),
    ("zrange", _LAYOUT.head, "0", "0"),
    ("time",),
    ("info",),
)
"""Commands of the scripts and readers of the credentials service, as in ``deploy/redis/users.acl``."""

_PASSING: Final = frozenset(
    {
        backends.REDIS_EMPTY,
        backends.REDIS_NOT_VOUCHED,
        backends.REDIS_FILLING,
        backends.REDIS_OF_ANOTHER_LOG,
        backends.REDIS_BEHIND,
    }
)
"""Findings that a relay at work mends within moments."""
_SETTLE_SECONDS: Final = 3.0
"""Time in which the relay publishes what is committed just now."""
_PAUSE_SECONDS: Final = 0.1


async def check_redis(scene: Scene, report: AreaReport) -> None:
    """Check Redis as the credentials service uses it."""
    place = _place(Endpoint.parse(scene.settings.redis_url))
    report.summary = f"Redis at {place}"
    lacking: set[str] = set()
    try:
        await _check_server(scene, report, lacking)
        async with _noting(lacking):
            lacking.update(await _denied(scene))
    except REDIS_FAILURES as error:
        report.extend([judge_failure(error, place=place)])
        return
    if lacking:
        report.extend([denied(lacking)])
        return  # whatever else is found follows from it
    try:
        report.extend(await _judge_log(scene))
    except RedisUnavailableError as error:
        cause = error.__cause__
        report.extend([judge_failure(cause or error, place=place)])


async def _check_server(scene: Scene, report: AreaReport, lacking: set[str]) -> None:
    redis: Any = scene.redis  # a cluster client has these commands too, with a target
    primary = await primary_of(redis)
    async with _noting(lacking):
        seconds = await median_seconds(lambda: redis.ping(**primary), scene.clock)
        report.summary += f", {seconds * 1000:.1f} ms"
        report.extend(judge_speed(seconds))
    async with _noting(lacking):
        info = only_answer(await redis.info(**primary))
        report.summary = report.summary.replace("Redis", f"Redis {info.get('redis_version', '')}", 1)
        report.extend(judge_server(info))
    async with _noting(lacking):
        before = scene.clock.now()
        told = await redis.time(**primary)
        seconds, microseconds = next(iter(told.values())) if isinstance(told, dict) else told
        report.extend(judge_clock(seconds + microseconds / 1_000_000, before, scene.clock.now()))
    report.extend(await _judge_settings(scene, lacking))


async def _judge_settings(scene: Scene, lacking: set[str]) -> list[Finding]:
    registry = CollectorRegistry()
    check = RedisCheck(
        scene.redis,
        registry,
        replicated=Endpoint.parse(scene.settings.redis_url).kind != "single",
        lease_seconds=scene.settings.lease_seconds,
        elapsed=scene.clock.elapsed,
    )
    wrong: list[Finding] = []
    async with _noting(lacking):
        wrong += judge_settings(await check.look())
        if registry.get_sample_value("keyturn_redis_settings_readable") == 0:
            wrong.append(Finding(backends.REDIS_SETTINGS_HIDDEN, "CONFIG GET is refused"))
    return wrong


async def _denied(scene: Scene) -> list[str]:
    """Ask Redis which commands the user may not run. None of them is run."""
    redis: Any = scene.redis
    digest = await redis.script_load(_script())
    keys = sorted({word for command in _COMMANDS for word in command if word.startswith(_LAYOUT.prefix)})
    words = [str(part) for command in _COMMANDS for part in (len(command), *command)]
    try:
        refused = await redis.evalsha(digest, len(keys), *keys, *words)
    except NoPermissionError:
        raise
    except ResponseError:  # Redis before 7, which the version shows
        return []
    return [name.decode() for name in refused]


async def _judge_log(scene: Scene) -> list[Finding]:
    """Judge the log in Redis against the database's. What is under way is given time to settle."""
    registry = FleetRegistry(RedisScripts(scene.redis))
    keys = scene.settings.log_keys().verification()
    deadline = scene.clock.elapsed() + min(_SETTLE_SECONDS, scene.seconds / 2)
    while True:
        view = await registry.view()
        log = await _log_in_database(scene, 0 if view.head is None else view.head.position.sequence)
        found = list(judge_head(view.head, view.now, log, keys))
        if scene.clock.elapsed() >= deadline or not _PASSING & {each.diagnosis for each in found}:
            return found
        await asyncio.sleep(_PAUSE_SECONDS)


async def _log_in_database(scene: Scene, sequence: int) -> LogInDatabase | None:
    """Read the database's side; None if it cannot be read, which its own check reports."""
    log = DatabaseEventLog(scene.database, scene.clock)
    try:
        state = await log.fleet_state()
        at_head = await log.read(sequence, 1) if sequence > 0 else []
        known = at_head[0].id if at_head and at_head[0].sequence == sequence else None
        return LogInDatabase(await log.head(), state, known)
    except (StoreUnavailableError, IndexError):
        return None


@asynccontextmanager
async def _noting(lacking: set[str]) -> AsyncIterator[None]:
    """Note the command for which the user has no right, and go on."""
    try:
        yield
    except NoPermissionError as error:
        lacking.add(command_in(error))


@cache
def _script() -> str:
    return (files("keyturn.doctor") / "lua" / "denied_commands.lua").read_text(encoding="utf-8")


def _place(endpoint: Endpoint) -> str:
    """Return where Redis is, without user and password."""
    if endpoint.hosts:
        return ", ".join(f"{host}:{port}" for host, port in endpoint.hosts)
    return endpoint.url.partition("://")[2].rpartition("@")[2].partition("?")[0]
