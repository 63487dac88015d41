"""Retention shortens the chain at its beginning, and a signed base stands for what it deleted."""

import asyncio

import pytest

from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError
from keyturn_credentials.domain.audit_chain.statements import Reason
from keyturn_credentials.operations.maintenance_loop import MaintenanceLoop
from tests.conformance.store.audit_chain.conftest import DAY, Service
from tests.testkit.waiting import in_time


async def days_of(service: Service, count: int) -> None:
    """Write an entry on each of so many days."""
    for number in range(count):
        await service.note(f"day-{number}")
        await service.chained()
        service.clock.time += DAY


async def test_what_is_left_is_verified_and_kept_heads_stay_comparable(service: Service) -> None:
    await days_of(service, 5)
    kept = await service.head()
    assert await service.retention(3).forget_audit() == 2
    report = await service.report(kept)
    assert report.is_good
    assert report.base is not None
    assert (report.base.number, report.base.reason, report.chained) == (2, Reason.EXPIRED, 3)
    await service.note("later")
    await service.chained()
    assert await service.problems(kept) == set()


async def test_everything_may_be_deleted(service: Service) -> None:
    await days_of(service, 3)
    service.clock.time += 10 * DAY
    assert await service.retention(2).forget_audit() == 3
    assert await service.problems() == set()
    await service.chained()
    await service.note("later")
    await service.chained()
    assert [number for _, number in await service.numbers()] == [4]
    assert await service.problems() == set()


async def test_what_is_not_part_of_the_chain_stays(service: Service) -> None:
    await service.note("old")
    service.clock.time += 10 * DAY
    assert await service.retention(2).forget_audit() == 0
    await service.chained()
    assert await service.retention(2).forget_audit() == 1


async def test_he_cannot_use_it_to_remove_what_is_younger(service: Service) -> None:
    """He gives an entry an old date, so that the service itself deletes it."""
    await days_of(service, 4)
    await service.write("UPDATE audit SET occurred_at = 1 WHERE chain_number IN (1, 2, 3)")
    with pytest.raises(ChainBrokenError):
        await service.retention(2.5).forget_audit()
    assert len(await service.numbers()) == 4
    assert "changed" in await service.problems()


async def test_what_was_removed_beside_it_is_found(service: Service) -> None:
    await days_of(service, 5)
    await service.retention(3).forget_audit()
    await service.write("DELETE FROM audit WHERE chain_number = 3")
    assert "missing" in await service.problems()
    with pytest.raises(ChainBrokenError):
        await service.retention(1).forget_audit()


async def test_a_base_of_before_does_not_come_back(service: Service) -> None:
    await days_of(service, 5)
    report = await service.report()
    assert report.base is not None
    earlier = report.base.signed(service.settings.audit_keys())
    await service.retention(3).forget_audit()
    await service.write("UPDATE audit_chain SET base = :base", base=earlier)
    assert "missing" in await service.problems()


async def test_the_rest_of_the_upkeep_goes_on_beside_a_log_that_was_changed(service: Service) -> None:
    await days_of(service, 5)
    await service.write("UPDATE audit SET action = 'nothing' WHERE chain_number = 1")
    limited = service.restarted(audit_retention_days=2.0)
    rested = asyncio.Event()

    async def rest(seconds: float) -> None:
        rested.set()
        await asyncio.Event().wait()

    upkeep = MaintenanceLoop(
        limited.operations.maintenance,
        limited.operations.retention,
        limited.operations.reprojection,
        limited.metrics,
        seconds=60.0,
        elapsed=service.clock.elapsed,
        sleep=rest,
    )
    await upkeep.task.start()
    await in_time(rested.wait())
    await upkeep.task.stop()
    assert upkeep.task.failures == 0
    assert limited.sample("keyturn_upkeep_rounds_total") == 1
    assert limited.sample("keyturn_log_entries_forgotten_total", log="audit") == 0
    assert len(await service.numbers()) == 5
