"""The blocks of names stay exact under any changes, and every page equals a search in Python."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.store import id_search, page_index, substring_search
from keyturn_credentials.store.id_search import Page, find_ids
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.tables import client_name_blocks
from tests.conformance.store.blocks import folded, require_exact_blocks
from tests.conformance.store.conftest import ACTOR, Instance

NAMES = st.text("aAbBß日-%_'🔑", min_size=1, max_size=5)


def sizes(patch: pytest.MonkeyPatch, block: int, *, blocks: int = 16, walked: int = 10_000) -> None:
    for module in (page_index, substring_search):
        patch.setattr(module, "BLOCK", block)
    patch.setattr(substring_search, "_BLOCKS", blocks)
    patch.setattr(id_search, "_WALKED", walked)


@pytest.fixture
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        sizes(patch, 2, walked=0)
        yield


async def realm_of(instance: Instance, *names: str) -> str:
    realm = (await instance.operations.realms.create(ACTOR, {"realm": "acme"})).value
    for name in names:
        await instance.operations.clients.create(ACTOR, "acme", {"clientId": name})
    return realm.id


async def uuid_of(instance: Instance, realm_id: str, name: str) -> str:
    async with instance.store.read() as reading:
        client = await reading.clients.find(realm_id, name)
    assert client is not None
    return client.uuid


class Doing:
    """Random changes of every kind, with the expected state after them."""

    def __init__(self, instance: Instance, realm_id: str, data: st.DataObject) -> None:
        self.instance = instance
        self.realm_id = realm_id
        self.names: set[str] = set()
        self._data = data

    async def create(self) -> None:
        name = self._data.draw(NAMES.filter(lambda name: name not in self.names), "create")
        await self.instance.operations.clients.create(ACTOR, "acme", {"clientId": name})
        self.names.add(name)

    async def rename(self) -> None:
        before = self._data.draw(st.sampled_from(sorted(self.names)), "rename")
        after = self._data.draw(NAMES.filter(lambda name: name not in self.names - {before}), "to")
        uuid = await uuid_of(self.instance, self.realm_id, before)
        await self.instance.operations.clients.update(ClientTarget(ACTOR, "acme", uuid), {"clientId": after})
        self.names = self.names - {before} | {after}

    async def delete(self) -> None:
        name = self._data.draw(st.sampled_from(sorted(self.names)), "delete")
        uuid = await uuid_of(self.instance, self.realm_id, name)
        await self.instance.operations.clients.delete(ClientTarget(ACTOR, "acme", uuid))
        self.names.remove(name)

    async def take_over(self) -> None:
        """Import several in one transaction, some of which may exist."""
        names = self._data.draw(st.lists(NAMES, min_size=1, max_size=20, unique=True), "import")
        dry = self._data.draw(st.booleans(), "dry run")
        export = {"clients": [{"clientId": name, "description": "taken over"} for name in names]}
        imports = self.instance.operations.imports
        await imports.run(ACTOR, "acme", export, if_exists=IfExists.OVERWRITE, dry_run=dry)
        self.names |= set() if dry else set(names)

    async def do(self) -> None:
        kinds: list[Callable[[], Awaitable[None]]] = [self.create, self.take_over]
        if self.names:
            kinds += [self.rename, self.delete]
        await self._data.draw(st.sampled_from(kinds), "kind")()

    async def look(self) -> None:
        part = self._data.draw(st.just("") | NAMES, "part")
        first, most = self._data.draw(st.integers(0, 9), "first"), self._data.draw(st.integers(1, 9), "most")
        after = self._data.draw(st.just("") | NAMES | st.sampled_from(sorted(self.names) or [""]), "after")
        expected = [name for name in sorted(self.names) if folded(part) in folded(name) and name > after]
        async with self.instance.store.read() as reading:
            criteria, page = Criteria(part, is_part=True), Page(first, most, after)
            assert await find_ids(reading, self.realm_id, criteria, page) == expected[first:][:most]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_changes_leave_exact_blocks_and_pages_as_python_finds_them(
    instance: Instance, data: st.DataObject
) -> None:
    realm_id = await realm_of(instance)
    doing = Doing(instance, realm_id, data)
    try:
        with pytest.MonkeyPatch.context() as patch:
            block = data.draw(st.integers(1, 4), "block")
            sizes(patch, block, blocks=data.draw(st.sampled_from([0, 1, 16]), "blocks"), walked=0)
            for _ in range(data.draw(st.integers(1, 12), "changes")):
                await doing.do()
                assert await require_exact_blocks(instance, realm_id) == sorted(doing.names)
            for _ in range(5):
                await doing.look()
    finally:
        await instance.operations.realms.delete(RealmTarget(ACTOR, "acme"))
    async with instance.store.read() as reading:
        left = select(func.count()).select_from(client_name_blocks)
        assert (await reading.connection.execute(left)).scalar_one() == 0


@pytest.mark.usefixtures("small_blocks")
async def test_instances_that_write_at_once_leave_exact_blocks(instance: Instance, other: Instance) -> None:
    realm_id = await realm_of(instance, *(f"old-{number}" for number in range(12)))
    uuids = [await uuid_of(instance, realm_id, f"old-{number}") for number in range(12)]

    async def write(one: Instance, number: int) -> None:
        clients = one.operations.clients
        await clients.create(ACTOR, "acme", {"clientId": f"new-{number}"})
        if number % 2:
            await clients.delete(ClientTarget(ACTOR, "acme", uuids[number]))
        else:
            await clients.update(ClientTarget(ACTOR, "acme", uuids[number]), {"clientId": f"moved-{number}"})
        export = {"clients": [{"clientId": f"imported-{number}-{each}"} for each in range(5)]}
        await one.operations.imports.run(ACTOR, "acme", export)

    await asyncio.gather(*(write((instance, other)[number % 3 % 2], number) for number in range(12)))
    names = await require_exact_blocks(instance, realm_id)
    assert len(names) == 12 + 6 + 12 * 5


@pytest.mark.usefixtures("small_blocks")
async def test_a_realm_made_or_deleted_while_others_write_leaves_no_blocks(
    instance: Instance, other: Instance
) -> None:
    """The late writer finds the realm gone; no writer waits forever, and nothing remains."""
    realm_id = await realm_of(instance, *(f"old-{number}" for number in range(8)))
    uuids = [await uuid_of(instance, realm_id, f"old-{number}") for number in range(8)]
    done = await asyncio.gather(
        *(other.operations.clients.delete(ClientTarget(ACTOR, "acme", uuid)) for uuid in uuids[:4]),
        *(
            other.operations.clients.update(ClientTarget(ACTOR, "acme", uuid), {"clientId": f"moved-{uuid}"})
            for uuid in uuids[4:]
        ),
        instance.operations.realms.delete(RealmTarget(ACTOR, "acme")),
        *(
            instance.operations.clients.create(ACTOR, "acme", {"clientId": f"new-{number}"})
            for number in range(4)
        ),
        return_exceptions=True,
    )
    assert not isinstance(done[8], BaseException), done[8]
    assert await require_exact_blocks(instance, realm_id) == []
    async with instance.store.read() as reading:
        left = select(func.count()).select_from(client_name_blocks)
        assert (await reading.connection.execute(left)).scalar_one() == 0


@pytest.mark.usefixtures("small_blocks")
async def test_what_is_rolled_back_was_never_counted(instance: Instance) -> None:
    realm_id = await realm_of(instance, "a", "b", "c")
    export = {"clients": [{"clientId": f"d-{number}"} for number in range(9)]}
    await instance.operations.imports.run(ACTOR, "acme", export, dry_run=True)
    assert await require_exact_blocks(instance, realm_id) == ["a", "b", "c"]


async def test_a_change_that_leaves_the_id_touches_no_block(instance: Instance) -> None:
    realm_id = await realm_of(instance, "orders")
    uuid = await uuid_of(instance, realm_id, "orders")
    async with instance.database.writing() as connection:
        await connection.execute(delete(client_name_blocks))
    await instance.operations.clients.update(
        ClientTarget(ACTOR, "acme", uuid), {"clientId": "orders", "enabled": False}
    )
    await instance.operations.secrets.regenerate(ClientTarget(ACTOR, "acme", uuid))
    async with instance.store.read() as reading:
        count = select(func.count()).select_from(client_name_blocks)
        assert (await reading.connection.execute(count)).scalar_one() == 0


@pytest.mark.usefixtures("small_blocks")
async def test_what_a_build_before_wrote_past_the_blocks_is_settled(instance: Instance) -> None:
    """The earlier build created clients with and without blocks, deleted some and renamed one."""
    realm_id = await realm_of(instance, *(f"old-{number:02}" for number in range(20)))
    other = (await instance.operations.realms.create(ACTOR, {"realm": "other"})).value
    await instance.operations.clients.create(ACTOR, "other", {"clientId": "orders"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_index.PageIndex, "flush", _writes_nothing)
        for name in ("created", "old-05-created", "zebra"):
            await instance.operations.clients.create(ACTOR, "acme", {"clientId": name})
        for name in ("old-07", "old-08", "old-09", "old-10", "old-11", "old-12"):
            uuid = await uuid_of(instance, realm_id, name)
            await instance.operations.clients.delete(ClientTarget(ACTOR, "acme", uuid))
        uuid = await uuid_of(instance, realm_id, "old-15")
        await instance.operations.clients.update(
            ClientTarget(ACTOR, "acme", uuid), {"clientId": "old-15-renamed"}
        )
    async with instance.database.writing() as connection:
        await connection.execute(delete(client_name_blocks).where(client_name_blocks.c.realm_id == other.id))
    maintenance = instance.operations.maintenance
    assert await maintenance.repair_page_index() > 3
    assert len(await require_exact_blocks(instance, realm_id)) == 17
    assert await require_exact_blocks(instance, other.id) == ["orders"]
    assert await maintenance.repair_page_index() == 0


async def _writes_nothing(self: page_index.PageIndex) -> None:
    """Do nothing, like a build without blocks."""


@pytest.mark.usefixtures("small_blocks")
async def test_a_block_that_is_gone_is_not_made_anew(instance: Instance) -> None:
    """Its clients are already counted in the previous block."""
    realm_id = await realm_of(instance, "a", "b", "c")
    async with instance.store.change(ACTOR) as transaction:
        await transaction.lock_event_log()
        await transaction.clients.page_index.rebuild(realm_id, "b")
    assert await require_exact_blocks(instance, realm_id) == ["a", "b", "c"]
