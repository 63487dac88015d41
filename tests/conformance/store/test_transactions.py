"""State, projection and event commit together, in one order without gaps, with any number of writers."""

import asyncio

import pytest

from keyturn_credentials.errors import ConflictError, InvalidRequestError, StoreUnavailableError
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.relay.event_log import LogPoint, Projections
from keyturn_credentials.store.former_ids import has_used
from keyturn_shared.events import ClientCreated, decode_event
from keyturn_shared.projection import client_field, decode_client, projection_value, realm_field
from tests.conformance.store.conftest import ACTOR, Instance
from tests.testkit.stored_projections import stored_projections


async def make_realm(instance: Instance, name: str = "acme") -> str:
    return (await instance.operations.realms.create(ACTOR, {"realm": name})).value.id


async def test_a_change_is_in_the_state_the_projection_and_the_log(instance: Instance) -> None:
    realm_id = await make_realm(instance)
    done = await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders"})
    client, _ = done.value
    assert done.sequence == 2
    assert instance.committed == [1, 2]
    assert await instance.log.head() == 2
    (logged,) = await instance.log.read(2, 10)
    event = decode_event(logged.payload)
    assert isinstance(event, ClientCreated)
    assert (event.sequence, event.id, event.client_id) == (2, logged.id, "orders")
    assert logged.touches == event.touches == (client_field(realm_id, "orders"),)
    projections = await instance.log.projections(logged.touches, logged.point)
    assert projections is not None
    sequence, body = projections.states[logged.touches[0]]
    assert body is not None
    assert decode_client(projection_value(sequence, body))[1].uuid == client.uuid
    async with instance.store.find() as reading:
        assert await reading.clients.get(realm_id, client.uuid) == client


async def test_projections_are_read_beside_an_event_or_not_at_all(instance: Instance) -> None:
    realm_id = await make_realm(instance)
    await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders"})
    (logged,) = await instance.log.read(2, 10)
    many = [client_field(realm_id, f"unknown-{number}") for number in range(1200)]
    found = await instance.log.projections([*logged.touches, *many], logged.point)
    assert found is not None
    assert (list(found.states), found.newest) == (list(logged.touches), logged.point)
    for none in (many, []):
        assert await instance.log.projections(none, logged.point) == Projections({}, logged.point)
    await make_realm(instance, "other")
    later = await instance.log.projections(logged.touches, logged.point)
    assert later is not None
    assert (later.states, later.newest.sequence) == (found.states, 3)
    for lost in (LogPoint(2, "another"), LogPoint(1, logged.id), LogPoint(3, logged.id), LogPoint(4, "x")):
        assert await instance.log.projections(logged.touches, lost) is None


async def test_what_fails_leaves_no_gap_and_no_trace(instance: Instance) -> None:
    realm_id = await make_realm(instance)
    await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders"})
    with pytest.raises(ConflictError):
        await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders"})
    with pytest.raises(InvalidRequestError):
        await instance.operations.clients.create(
            ACTOR, "acme", {"clientId": "bad", "attributes": {"use.jwks.string": "true"}}
        )
    with pytest.raises(RuntimeError):
        async with instance.store.change(ACTOR) as transaction:
            await transaction.stamp()
            raise RuntimeError("the process was about to write its event")
    assert (await instance.operations.clients.create(ACTOR, "acme", {"clientId": "next"})).sequence == 3
    assert instance.committed == [1, 2, 3]
    async with instance.store.find() as reading:
        assert await reading.clients.find(realm_id, "bad") is None


async def test_twenty_writers_in_two_instances_make_one_log_without_gaps(
    instance: Instance, other: Instance
) -> None:
    await make_realm(instance)

    async def write(writer: int) -> list[int]:
        operations = (instance, other)[writer % 2].operations
        return [
            (await operations.clients.create(ACTOR, "acme", {"clientId": f"{writer}-{number}"})).sequence
            for number in range(10)
        ]

    sequences = await asyncio.gather(*(write(writer) for writer in range(20)))
    assert sorted(number for each in sequences for number in each) == list(range(2, 202))
    logged = await other.log.read(1, 1000)
    assert [event.sequence for event in logged] == list(range(1, 202))
    assert len({event.id for event in logged}) == 201
    assert await instance.log.head() == 201


async def test_a_reader_never_sees_a_number_before_a_smaller_one(instance: Instance, other: Instance) -> None:
    await make_realm(instance)
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            numbers = [event.sequence for event in await other.log.read(1, 1000)]
            assert numbers == list(range(1, len(numbers) + 1))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(
        *(
            instance.operations.clients.create(ACTOR, "acme", {"clientId": f"client-{number}"})
            for number in range(50)
        )
    )
    done.set()
    await watching


async def test_simultaneous_changes_of_one_client_do_not_undo_each_other(
    instance: Instance, other: Instance
) -> None:
    realm_id = await make_realm(instance)
    client, _ = (await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders"})).value

    async def change(number: int) -> None:
        operations = (instance, other)[number % 2].operations
        if number % 3 == 0:
            await operations.secrets.regenerate(ClientTarget(ACTOR, "acme", client.uuid))
        else:
            values = {"attributes": {f"name-{number}": "set"}}
            await operations.clients.update(ClientTarget(ACTOR, "acme", client.uuid), values)

    await asyncio.gather(*(change(number) for number in range(30)))
    async with instance.store.find() as reading:
        after = await reading.clients.get(realm_id, client.uuid)
    assert after is not None
    assert after.version == 31
    assert set(after.attributes) == {f"name-{number}" for number in range(30) if number % 3}
    assert after.secrets.current is not None
    field = client_field(realm_id, "orders")
    sequence, body = (await stored_projections(other.database, [field]))[field]
    assert body is not None
    assert sequence == 32
    assert (
        decode_client(projection_value(sequence, body))[1].secrets[0].digest == after.secrets.current.digest
    )


async def test_a_renamed_client_leaves_its_former_projection_deleted(instance: Instance) -> None:
    realm_id = await make_realm(instance)
    client, _ = (await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders"})).value
    await instance.operations.clients.update(
        ClientTarget(ACTOR, "acme", client.uuid), {"clientId": "renamed"}
    )
    old, new = client_field(realm_id, "orders"), client_field(realm_id, "renamed")
    found = await stored_projections(instance.database, [old, new, "client:none:none"])
    assert found[old] == (3, None)
    assert found[new][1] is not None
    assert set(found) == {old, new}


async def test_a_deleted_realm_takes_its_clients_projections_with_it(instance: Instance) -> None:
    realm_id = await make_realm(instance)
    await make_realm(instance, "other")
    for number in range(3):
        await instance.operations.clients.create(ACTOR, "acme", {"clientId": f"client-{number}"})
    await instance.operations.realms.delete(RealmTarget(ACTOR, "acme"))
    batches = [batch async for batch in instance.log.all_projections(1)]
    assert [field for batch in batches for field, _, _ in batch.rows] == [realm_field("other")]
    gone = await stored_projections(
        instance.database, [client_field(realm_id, "client-0"), realm_field("acme")]
    )
    assert {body for _, body in gone.values()} == {None}


async def test_projections_come_in_batches_each_of_them_once(instance: Instance) -> None:
    await make_realm(instance)
    for number in range(7):
        await instance.operations.clients.create(ACTOR, "acme", {"clientId": f"client-{number}"})
    batches = [batch async for batch in instance.log.all_projections(3)]
    assert [len(batch.rows) for batch in batches] == [3, 3, 2]
    newest = (await instance.log.read(8, 1))[0].point
    assert [batch.newest for batch in batches] == [newest] * 3
    fields = [field for batch in batches for field, _, _ in batch.rows]
    assert len(set(fields)) == 8


async def test_a_database_that_is_gone_is_an_error_of_its_own(instance: Instance) -> None:
    async with instance.database.writing() as connection:
        await connection.exec_driver_sql("DROP TABLE event_counter")
    with pytest.raises(StoreUnavailableError):
        await instance.log.head()


async def test_a_realm_knows_whom_it_deleted_and_since_when(instance: Instance) -> None:
    realm = (await instance.operations.realms.create(ACTOR, {"realm": "acme"})).value
    create = instance.operations.clients.create
    kept, deleted = [(await create(ACTOR, "acme", {"clientId": name})).value[0].uuid for name in "ab"]
    await instance.operations.clients.delete(ClientTarget(ACTOR, "acme", deleted))
    async with instance.store.change(ACTOR) as transaction:
        assert await transaction.has_deleted(realm.id, deleted, since=transaction.now - 60.0)
        assert not await transaction.has_deleted(realm.id, kept, since=transaction.now - 60.0)
        assert not await transaction.has_deleted("another", deleted, since=transaction.now - 60.0)
        assert not await transaction.has_deleted(realm.id, deleted, since=transaction.now + 60.0)
        assert await has_used(transaction.connection, realm.id)
        assert not await has_used(transaction.connection, "another")
        assert await transaction.realms.has(realm.id)
        assert not await transaction.realms.has("another")
