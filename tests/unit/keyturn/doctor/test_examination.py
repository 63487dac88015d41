"""Every check has its time limit, and none of them ends the others."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from keyturn.doctor.diagnoses import backends
from keyturn.doctor.examination import Check, examine
from keyturn.doctor.findings import Area, AreaReport
from keyturn.doctor.scene import Scene
from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.redis_client import connect
from keyturn_shared.sealing import KeyRing
from tests.testkit.virtual_loop import VirtualLoop

_SECONDS = 10.0
_AREAS = frozenset({Area.DATABASE, Area.AUDIT, Area.REDIS, Area.FLEET})


@pytest.fixture
def scene() -> Scene:
    """Nothing in it connects before it is used."""
    values: dict[str, Any] = {"encryption_keys": KeyRing.generate_key(), "fleet_keys": KeyRing.generate_key()}
    settings = CredentialsSettings(**values)
    database = Database(settings.database_url)
    return Scene(settings, SystemClock(), _SECONDS, database, connect(settings.redis_url))


def run(scene: Scene, checks: Mapping[Area, Check]) -> tuple[dict[Area, AreaReport], bool, float]:
    """Return the reports, whether every check has ended, and how long it took."""
    loop = VirtualLoop.create()
    ended: list[tuple[list[AreaReport], bool, float]] = []

    async def main() -> None:
        reports, all_ended = await examine(scene, _AREAS, checks)
        ended.append((reports, all_ended, loop.time()))

    loop.create_task(main())
    loop.run(1000.0)
    ((reports, all_ended, took),) = ended
    return {report.area: report for report in reports}, all_ended, took


async def well(_: Scene, report: AreaReport) -> None:
    report.summary = "well"


async def slow(_: Scene, report: AreaReport) -> None:
    report.add(backends.REDIS_SLOW, "found before")
    await asyncio.sleep(999.0)


async def stuck(_: Scene, report: AreaReport) -> None:
    while True:
        try:
            await asyncio.sleep(999.0)
        except asyncio.CancelledError:
            continue


def failing(error: Exception) -> Check:
    async def check(_: Scene, report: AreaReport) -> None:
        raise error

    return check


def codes(report: AreaReport) -> list[str]:
    return [finding.code for finding in report.findings]


def test_a_check_that_takes_too_long_keeps_what_it_found(scene: Scene) -> None:
    reports, ended, took = run(scene, {Area.DATABASE: well, Area.REDIS: slow})
    assert codes(reports[Area.REDIS]) == ["redis_slow", "check_timed_out"]
    assert codes(reports[Area.DATABASE]) == []
    assert (ended, took) == (True, _SECONDS)


def test_a_check_that_cannot_be_cancelled_is_left_behind(scene: Scene) -> None:
    reports, ended, took = run(scene, {Area.DATABASE: stuck, Area.REDIS: well})
    assert codes(reports[Area.DATABASE]) == ["check_timed_out"]
    assert (ended, took) == (False, _SECONDS + 1.0)


def test_an_unexpected_error_is_a_finding_of_its_area(scene: Scene) -> None:
    reports, _, _ = run(scene, {Area.REDIS: failing(KeyError("x")), Area.FLEET: well})
    assert codes(reports[Area.REDIS]) == ["check_failed"]
    assert reports[Area.FLEET].summary == "well"


@pytest.mark.parametrize(
    ("error", "backend"),
    [(RedisUnavailableError("gone"), Area.REDIS), (StoreUnavailableError("gone"), Area.DATABASE)],
)
def test_an_area_whose_backend_is_away_refers_to_it(scene: Scene, error: Exception, backend: Area) -> None:
    async def away(_: Scene, report: AreaReport) -> None:
        report.add(backends.REDIS_UNREACHABLE, "gone")

    reports, _, _ = run(scene, {backend: away, Area.FLEET: failing(error)})
    assert (codes(reports[Area.FLEET]), reports[Area.FLEET].skipped) == ([], f"see {backend.value}")


def test_a_finding_that_follows_from_another_one_refers_to_it(scene: Scene) -> None:
    async def missing(_: Scene, report: AreaReport) -> None:
        report.add(backends.DATABASE_KEY_MISSING, "a key")

    async def unknown(_: Scene, report: AreaReport) -> None:
        report.add(backends.AUDIT_KEY_UNKNOWN, "the same key")

    reports, _, _ = run(scene, {Area.DATABASE: missing, Area.AUDIT: unknown})
    assert (codes(reports[Area.AUDIT]), reports[Area.AUDIT].skipped) == ([], "see database")
    reports, _, _ = run(scene, {Area.DATABASE: well, Area.AUDIT: unknown})
    assert (codes(reports[Area.AUDIT]), reports[Area.AUDIT].skipped) == (["audit_key_unknown"], "")


def test_an_area_whose_backend_was_not_checked_has_the_finding_itself(scene: Scene) -> None:
    reports, _, _ = run(scene, {Area.FLEET: failing(RedisUnavailableError("gone"))})
    assert codes(reports[Area.FLEET]) == ["check_failed"]
