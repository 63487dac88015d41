"""A client whose stored secret cannot be decrypted can be changed, ended and given another secret."""

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret
from tests.conformance.store.conftest import ACTOR, Instance, instance_of
from tests.testkit.admin_api import settings_for
from tests.testkit.damaged_secrets import damage, stored

SECRET = "a-secret-that-is-long-enough-for-anyone"


@pytest.fixture
async def target(instance: Instance) -> ClientTarget:
    """A client with this secret, damaged where it is stored."""
    await instance.operations.realms.create(ACTOR, {"realm": "acme"})
    made = await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders", "secret": SECRET})
    uuid = made.value[0].uuid
    await damage(instance.database, uuid)
    return ClientTarget(ACTOR, "acme", uuid)


async def read(instance: Instance, target: ClientTarget) -> Client:
    async with instance.store.find() as reading:
        realm = await reading.realms.get(target.realm)
        assert realm is not None
        client = await reading.clients.get(realm.id, target.client_uuid)
    assert client is not None
    return client


async def test_a_change_leaves_it_as_it_is_stored(instance: Instance, target: ClientTarget) -> None:
    before = await stored(instance.database, target.client_uuid)
    await instance.operations.clients.update(target, {"enabled": False, "description": "ended"})
    assert await stored(instance.database, target.client_uuid) == before
    client = await read(instance, target)
    assert not client.enabled
    assert not client.secrets.is_readable


async def test_it_can_be_replaced(instance: Instance, target: ClientTarget) -> None:
    new = (await instance.operations.secrets.regenerate(target)).value
    secrets = (await read(instance, target)).secrets
    assert secrets.is_readable
    assert secrets.current is not None
    assert secrets.current.secret == new


async def test_it_stays_the_former_one_for_the_overlap(instance: Instance, target: ClientTarget) -> None:
    before = await stored(instance.database, target.client_uuid)
    new = (await instance.operations.secrets.regenerate(target, overlap=60)).value
    after = await stored(instance.database, target.client_uuid)
    assert after["rotated"]["sealed"] == before["current"]["sealed"]
    secrets = (await read(instance, target)).secrets
    assert not secrets.is_readable
    assert secrets.current is not None
    assert secrets.current.secret == new


async def test_its_client_can_be_deleted(instance: Instance, target: ClientTarget) -> None:
    await instance.operations.clients.delete(target)
    async with instance.store.find() as reading:
        realm = await reading.realms.get(target.realm)
        assert realm is not None
        assert await reading.clients.get(realm.id, target.client_uuid) is None


async def test_nothing_is_lost_until_the_key_is_back(instance: Instance) -> None:
    """An instance without the key changes the client; one with it reads the secret."""
    await instance.operations.realms.create(ACTOR, {"realm": "acme"})
    made = await instance.operations.clients.create(ACTOR, "acme", {"clientId": "orders", "secret": SECRET})
    target = ClientTarget(ACTOR, "acme", made.value[0].uuid)
    known = instance.settings
    without = instance_of(
        settings_for(
            known.database_url,
            known.redis_url,
            encryption_keys=KeyRing.generate_key(),
            fleet_keys=known.fleet_keys.get_secret_value(),
        )
    )
    await without.operations.clients.update(target, {"description": "changed"})
    assert not (await read(without, target)).secrets.is_readable
    await without.database.close()
    client = await read(instance, target)
    assert client.document["description"] == "changed"
    assert client.secrets.current is not None
    assert client.secrets.current.secret == Secret(SECRET)


async def test_it_does_not_keep_others_from_being_sealed_under_a_new_key(
    instance: Instance, target: ClientTarget
) -> None:
    """It is counted neither then nor later, and stays where its key is looked for."""
    made = await instance.operations.clients.create(ACTOR, "acme", {"clientId": "others"})
    other = ClientTarget(ACTOR, "acme", made.value[0].uuid)
    before = await stored(instance.database, target.client_uuid)
    known = instance.settings
    renewing = instance_of(
        settings_for(
            known.database_url,
            known.redis_url,
            encryption_keys=f"{KeyRing.generate_key()},{known.encryption_keys.get_secret_value()}",
            fleet_keys=known.fleet_keys.get_secret_value(),
        )
    )
    assert await renewing.operations.maintenance.renew_seals() == 1 + 1  # the realm and the other client
    assert await renewing.operations.maintenance.renew_seals() == 0
    sealed = (await stored(instance.database, other.client_uuid))["current"]["sealed"]
    assert renewing.settings.encryption_ring().is_current(sealed)
    assert await stored(instance.database, target.client_uuid) == before
    await renewing.database.close()
