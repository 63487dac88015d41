"""The release before runs beside this one for a while: it knows no chain."""

from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.statements import Reason
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate, upgrade
from tests.conformance.store.audit_chain.conftest import DAY, Service


async def test_entries_from_before_the_upgrade_are_added(service: Service) -> None:
    for number in range(3):
        await service.write_as_former_release(f"before-{number}")
    await service.chained()
    report = await service.report()
    assert report.is_good
    assert report.standings == {Standing.EARLIER: 3}


async def test_what_the_former_release_writes_meanwhile_is_added(service: Service) -> None:
    await service.make("one")
    await service.write_as_former_release("realm_created", sequence=2)
    await service.write("UPDATE event_counter SET value = 2")
    await service.chained()
    await service.make("three")
    await service.chained()
    report = await service.report()
    assert report.is_good
    assert report.standings == {Standing.VOUCHED: 2, Standing.EARLIER: 1}


async def test_what_claims_to_be_of_it_a_day_later_is_found(service: Service) -> None:
    await service.make("one")
    await service.chained()
    await service.settle()
    await service.write_as_former_release("planted")
    assert await service.problems() == {"unvouched"}
    await service.chained()
    assert await service.problems() == {"unvouched"}


async def test_after_a_way_back_to_the_former_release_the_log_is_accepted(service: Service) -> None:
    await service.make("one")
    await service.chained()
    await service.settle()
    await service.write_as_former_release("went back")
    await service.chained()
    await service.accept()
    await service.chained()
    assert await service.problems() == set()


async def test_what_its_retention_deletes_is_followed_for_a_day(service: Service) -> None:
    for number in range(4):
        await service.write_as_former_release(f"before-{number}")
    await service.chained()
    await service.write("DELETE FROM audit WHERE id <= 2")
    assert await service.problems() == {"missing"}
    await service.note("later")
    await service.chained()
    report = await service.report()
    assert report.is_good
    assert report.base is not None
    assert (report.base.number, report.base.reason) == (2, Reason.FORMER)
    await service.write("DELETE FROM audit")
    service.clock.time += 60
    await service.note("after all were deleted")
    await service.chained()
    assert await service.problems() == set()
    await service.settle()
    await service.note("one")
    await service.note("two")
    await service.chained()
    await service.write("DELETE FROM audit WHERE chain_number = 6")
    await service.note("later")
    await service.chained()
    assert "missing" in await service.problems()


async def test_its_retention_does_not_make_ours_fail(service: Service) -> None:
    for number in range(4):
        await service.write_as_former_release(f"before-{number}")
    await service.chained()
    await service.write("DELETE FROM audit WHERE id <= 2")
    service.clock.time += DAY / 2
    await service.note("later")
    await service.chained()
    assert await service.retention(0.1).forget_audit() == 2
    assert await service.problems() == set()


async def test_a_database_of_the_former_release_is_upgraded(service: Service) -> None:
    url = service.settings.database_url
    if service.database.is_postgresql:
        await service.write("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    else:
        url = url.replace("keyturn.db", "former.db")
    database = Database(url, pool_size=2)
    former = Service(service.settings.model_copy(update={"database_url": url}), database, service.clock)
    async with database.migrating() as connection:
        await connection.run_sync(upgrade, "0017")
    await former.write_as_former_release("before")
    await migrate(database)
    await former.write_as_former_release("beside")
    await former.note("new")
    await former.chained()
    report = await former.report()
    await database.close()
    assert report.is_good
    assert report.standings == {Standing.EARLIER: 2, Standing.VOUCHED: 1}
