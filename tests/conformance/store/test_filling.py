"""The benchmarks' filler writes what the service would write: its clients are like any others."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store import page_index
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.client_search import find_page
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.tables import client_attributes
from keyturn_shared.events import ClientCreated, decode_event
from keyturn_shared.projection import client_field, decode_client, projection_value
from tests.conformance.store.blocks import require_exact_blocks
from tests.conformance.store.conftest import ACTOR, Instance
from tests.testkit import database_filling
from tests.testkit.client_population import REALM, client_id_of, representation_of, secret_of
from tests.testkit.database_filling import fill
from tests.testkit.stored_projections import stored_projections


async def client(instance: Instance, client_id: str) -> Client:
    async with instance.store.read() as reading:
        realm = await reading.realms.get(REALM)
        assert realm is not None
        found = await reading.clients.find(realm.id, client_id)
    assert found is not None, client_id
    return found


async def test_a_filled_client_is_as_one_that_was_created(instance: Instance) -> None:
    assert await fill(instance.settings, 30) == 31
    assert await fill(instance.settings, 20, first=30) == 51
    created = await instance.operations.clients.create(ACTOR, REALM, representation_of(50))
    assert created.sequence == 52
    filled = await client(instance, client_id_of(49))
    like = await client(instance, client_id_of(50))
    assert replace(filled, attributes={}, secrets=like.secrets) == replace(
        like, uuid=filled.uuid, client_id=filled.client_id, attributes={}
    )
    assert filled.attributes.keys() == like.attributes.keys()
    assert filled.secrets.current is not None
    assert filled.secrets.current.secret is not None
    assert filled.secrets.current.secret.reveal() == secret_of(49)

    logged = await instance.log.read(1, 100)
    assert [event.sequence for event in logged] == list(range(1, 53))
    event = decode_event(logged[50].payload)
    assert isinstance(event, ClientCreated)
    field = client_field(filled.realm_id, filled.client_id)
    assert (event.client_id, event.client_uuid, event.id) == (filled.client_id, filled.uuid, logged[50].id)
    assert logged[50].touches == event.touches == (field,)
    sequence, body = (await stored_projections(instance.database, [field]))[field]
    assert body is not None
    assert sequence == 51
    projected = decode_client(projection_value(sequence, body))[1]
    assert instance.settings.fleet_ring().matches(
        secret_of(49), projected.secrets[0].digest, f"client-secret:{filled.uuid}"
    )


async def test_filled_clients_are_found_and_changed_as_others_are(instance: Instance) -> None:
    await fill(instance.settings, 50)
    async with instance.store.read() as reading:
        realm_id = (await client(instance, client_id_of(7))).realm_id
        page = await find_page(reading, realm_id, Criteria(), first=0, most=100)
        by_attribute = await find_page(
            reading, realm_id, Criteria(attributes={"team": "billing"}), first=0, most=100
        )
        counts = [
            (await reading.connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (client_attributes, audit)
        ]
    assert [each.client_id for each in page] == sorted(client_id_of(number) for number in range(50))
    assert {each.client_id for each in by_attribute} == {client_id_of(1), client_id_of(41)}
    assert counts == [100, 51]
    assert await require_exact_blocks(instance, realm_id) == [each.client_id for each in page]
    one = await client(instance, client_id_of(7))
    done = await instance.operations.secrets.regenerate(ClientTarget(ACTOR, REALM, one.uuid))
    assert done.sequence == 52


async def test_filled_clients_are_in_blocks_that_the_service_goes_on_with(instance: Instance) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (database_filling, page_index):
            patch.setattr(module, "BLOCK", 4)
        patch.setattr(database_filling, "_BLOCKS", 2)
        await fill(instance.settings, 50)
        await fill(instance.settings, 20, first=50)
        created = await instance.operations.clients.create(ACTOR, REALM, representation_of(70))
        names = await require_exact_blocks(instance, created.value[0].realm_id)
    assert names == sorted(client_id_of(number) for number in range(71))
