"""The examination: every area at the same time, each within its time limit."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from keyturn.doctor.audit_area import check_audit
from keyturn.doctor.database_area import check_database
from keyturn.doctor.diagnoses import backends
from keyturn.doctor.expiry_area import check_expiry
from keyturn.doctor.findings import Area, AreaReport
from keyturn.doctor.fleet_area import check_fleet
from keyturn.doctor.gateway_area import check_gateway
from keyturn.doctor.key_sets_area import check_key_sets
from keyturn.doctor.partitions_area import check_partitions
from keyturn.doctor.redis_area import check_redis
from keyturn.doctor.scene import Scene
from keyturn.doctor.sign_in_area import check_sign_in
from keyturn_credentials.domain.diagnosis import Diagnosis
from keyturn_credentials.errors import StoreUnavailableError
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.sealing import SealError

Check = Callable[[Scene, AreaReport], Awaitable[None]]

CHECKS: Final[Mapping[Area, Check]] = {
    Area.DATABASE: check_database,
    Area.AUDIT: check_audit,
    Area.REDIS: check_redis,
    Area.FLEET: check_fleet,
    Area.PARTITIONS: check_partitions,
    Area.KEY_SETS: check_key_sets,
    Area.EXPIRY: check_expiry,
    Area.SIGN_IN: check_sign_in,
    Area.GATEWAY: check_gateway,
}
_BACKENDS: Final = {
    StoreUnavailableError: Area.DATABASE,
    SealError: Area.DATABASE,
    RedisUnavailableError: Area.REDIS,
}
"""Errors that another area explains."""
_FOLLOWS: Final[Mapping[Diagnosis, Diagnosis]] = {
    backends.AUDIT_KEY_UNKNOWN: backends.DATABASE_KEY_MISSING,
}
"""Findings that follow from one of another area."""
_GRACE_SECONDS: Final = 1.0
"""Time for a check to end after it was cancelled."""


async def examine(
    scene: Scene, areas: Collection[Area], checks: Mapping[Area, Check] = CHECKS
) -> tuple[list[AreaReport], bool]:
    """Check these areas. Return the reports, and whether every check has ended: one that waits for a disk
    cannot be cancelled. It takes the time limit of one check, and a second."""
    reports = {area: AreaReport(area) for area in checks if area in areas}
    failed: dict[Area, Exception] = {}

    async def run(area: Area) -> None:
        try:
            async with asyncio.timeout(scene.seconds):
                await checks[area](scene, reports[area])
        except TimeoutError:
            reports[area].add(backends.CHECK_TIMED_OUT, f"not finished after {scene.seconds:g} s")
        except Exception as error:  # noqa: BLE001 - one check must not end the others
            failed[area] = error

    tasks = {asyncio.create_task(run(area)): area for area in reports}
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=scene.seconds + _GRACE_SECONDS)
        for task in late:
            report = reports[tasks[task]]
            report.add(backends.CHECK_TIMED_OUT, f"not finished after {scene.seconds:g} s")
            task.cancel()
    for area, error in failed.items():
        _explain(reports[area], error, reports)
    for report in reports.values():
        _leave_out_what_follows(report, reports)
    return list(reports.values()), not tasks or not late


def _explain(report: AreaReport, error: Exception, reports: Mapping[Area, AreaReport]) -> None:
    """Report an error of a check, unless the area of its backend has reported the cause."""
    by = next((area for kind, area in _BACKENDS.items() if isinstance(error, kind)), None)
    if by is not None and by in reports and reports[by].problems:
        report.skipped = f"see {by.value}"
    else:
        report.add(backends.CHECK_FAILED, f"{type(error).__name__}: {error}")


def _leave_out_what_follows(report: AreaReport, reports: Mapping[Area, AreaReport]) -> None:
    """Remove findings whose cause another area has reported."""
    known = {finding.diagnosis: other.area for other in reports.values() for finding in other.findings}
    for finding in list(report.findings):
        by = known.get(_FOLLOWS[finding.diagnosis]) if finding.diagnosis in _FOLLOWS else None
        if by is not None:
            report.findings.remove(finding)
            report.skipped = f"see {by.value}"
