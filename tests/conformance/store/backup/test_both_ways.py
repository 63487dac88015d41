"""A backup of either database is restored into either, and the service goes on there."""

from pathlib import Path

from keyturn_credentials.backup.replacing import Present
from keyturn_credentials.backup.tables import revision_of
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.client_search import find_page
from keyturn_credentials.store.encryption_check import refuse_foreign_keys
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.search_query import Criteria
from tests.conformance.store.backup.conftest import (
    OF_THE_FLEET,
    RELEASE,
    back_up,
    contents_now,
    contents_of_file,
    mode_of,
    restore,
)
from tests.conformance.store.blocks import require_exact_blocks
from tests.conformance.store.conftest import ACTOR, Instance, instance_of


async def test_everything_is_there_again(filled: Instance, target: CredentialsSettings, file: Path) -> None:
    before = await contents_now(filled.settings)
    header = await back_up(filled.settings, file)
    assert mode_of(file) == 0o600
    assert contents_of_file(file) == before
    assert set(before) >= {"realms", "clients", "events", "projections", "audit", "used_assertions"}
    head = await filled.log.head()
    assert (header.release, header.log.head, header.log.epoch) == (RELEASE, head, 7)
    assert header.log.identity == await filled.log.identity()
    assert header.log.head_id == (await filled.log.read(head, 1))[0].id
    restored = await restore(target, file)
    assert restored.replaced is None
    assert restored.checked.description.header == header
    without = {"without": OF_THE_FLEET}
    assert await contents_now(target, **without) == contents_of_file(file, **without)


async def test_the_service_goes_on_with_it(filled: Instance, target: CredentialsSettings, file: Path) -> None:
    await back_up(filled.settings, file)
    await restore(target, file)
    other = instance_of(target)
    try:
        await migrate(other.database)
        await refuse_foreign_keys(other.database, target.encryption_ring())
        created = await other.operations.clients.create(ACTOR, "acme", {"clientId": "client-new"})
        assert created.sequence == await filled.log.head() + 1
        realm = created.value[0].realm_id
        await other.operations.secrets.regenerate(ClientTarget(ACTOR, "acme", created.value[0].uuid))
        assert len(await require_exact_blocks(other, realm)) == 13
        async with other.store.read() as reading:
            criteria = Criteria("CLIENT-1", is_part=True)
            found = await find_page(reading, realm, criteria, first=0, most=9)
            assert [each.client_id for each in found] == ["client-1", "client-10", "client-11"]
            assert await find_page(reading, realm, Criteria("client-new"), first=0, most=9)
            secret = found[0].secrets.current
            assert secret is not None
            assert secret.secret is not None
        async with filled.store.read() as reading:
            former = await reading.clients.find(realm, "client-1")
            assert former is not None
            assert former.secrets.current == secret
    finally:
        await other.database.close()


async def test_what_is_there_is_replaced_only_on_demand(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    await restore(target, file)
    other = instance_of(target)
    await other.operations.realms.create(ACTOR, {"realm": "later"})
    head = await other.log.head()
    revision = await _revision_of(other)
    await other.database.close()
    replaced = (await restore(target, file, replace=True)).replaced
    assert replaced is not None
    assert replaced == Present(revision, 3, 13, head, replaced.newest_at)
    without = {"without": OF_THE_FLEET}
    assert await contents_now(target, **without) == contents_of_file(file, **without)


async def _revision_of(instance: Instance) -> str:
    async with instance.database.reading() as connection:
        found: str = await connection.run_sync(revision_of)
    return found


async def test_the_restored_schema_is_that_of_a_new_database(
    filled: Instance, target: CredentialsSettings, file: Path
) -> None:
    await back_up(filled.settings, file)
    await restore(target, file)
    other = instance_of(target)
    async with other.database.snapshot() as connection:
        if connection.dialect.name == "sqlite":
            statement = "SELECT name, sql FROM sqlite_master ORDER BY name"
            found = (await connection.exec_driver_sql(statement)).all()
            assert {"client_names_inserted", "client_names_parts"} <= {row.name for row in found}
    await other.database.close()
