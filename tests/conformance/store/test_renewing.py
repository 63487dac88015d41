"""Values encrypted under former keys are found among many others, without delaying concurrent writers."""

from sqlalchemy import select, text, update

from keyturn_credentials.domain.attributes import DIGEST_ONLY
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.tables import clients
from keyturn_shared.sealing import KeyRing
from tests.conformance.store.conftest import ACTOR, Instance, instance_of
from tests.testkit.admin_api import settings_for
from tests.testkit.client_population import REALM, TEAMS, client_id_of
from tests.testkit.database_filling import fill

MANY = 450  # three batches


async def test_only_what_is_sealed_under_a_former_key_is_sealed_anew(instance: Instance) -> None:
    await fill(instance.settings, MANY)
    former = instance.settings
    both = settings_for(
        former.database_url,
        former.redis_url,
        encryption_keys=f"{KeyRing.generate_key()},{former.encryption_keys.get_secret_value()}",
        fleet_keys=f"{KeyRing.generate_key()},{former.fleet_keys.get_secret_value()}",
    )
    renewing = instance_of(both)
    assert await renewing.operations.maintenance.renew_seals() == MANY + 1  # plus the realm
    assert await renewing.operations.maintenance.renew_seals() == 0

    # Written by an instance without the new keys: at both ends, and in the middle.
    late = ["a", f"{TEAMS[20]}-", "zz"]
    assert (
        late[0] < min(map(client_id_of, range(MANY))) < late[1] < max(map(client_id_of, range(MANY))) < "zz"
    )
    for client_id in late:
        await instance.operations.clients.create(ACTOR, REALM, {"clientId": client_id})
    assert await renewing.operations.maintenance.renew_seals() == len(late)
    assert await renewing.operations.maintenance.renew_seals() == 0
    await renewing.database.close()


async def seal_keys(instance: Instance) -> dict[str, str]:
    """Return the column by client id."""
    wanted = select(clients.c.client_id, clients.c.seal_keys)
    async with instance.store.read() as reading:
        rows = await reading.connection.execute(wanted)
    return {row.client_id: row.seal_keys for row in rows}


async def test_under_which_keys_a_secret_is_sealed_stands_beside_it(instance: Instance) -> None:
    encryption, fleet = instance.settings.encryption_ring(), instance.settings.fleet_ring()
    both = " ".join(sorted((encryption.current_key_id, fleet.current_key_id)))
    for realm in ({"realm": "sealed"}, {"realm": "digests", "attributes": {DIGEST_ONLY: "true"}}):
        await instance.operations.realms.create(ACTOR, realm)
    make = instance.operations.clients.create
    await make(ACTOR, "sealed", {"clientId": "secret"})
    await make(ACTOR, "sealed", {"clientId": "public", "publicClient": True})
    await make(ACTOR, "digests", {"clientId": "digest"})
    client, _ = (await make(ACTOR, "sealed", {"clientId": "changed", "publicClient": True})).value
    await instance.operations.clients.update(
        ClientTarget(ACTOR, "sealed", client.uuid), {"publicClient": False}
    )
    assert await seal_keys(instance) == {"secret": both, "public": "", "digest": "", "changed": both}


async def test_what_a_former_build_writes_is_sealed_anew_too(instance: Instance) -> None:
    """Such a build may continue for a while after another instance has upgraded the database."""
    await fill(instance.settings, 3)
    before = await seal_keys(instance)
    async with instance.database.writing() as connection:
        await connection.execute(update(clients).values(seal_keys=text("'?'")))
    assert await instance.operations.maintenance.renew_seals() == 3
    assert await seal_keys(instance) == before
