"""Seals under former keys are found among many that are not, without holding up those who write meanwhile."""

from benchmarks.credentials.filling import fill
from benchmarks.credentials.population import REALM, TEAMS, client_id_of
from keyturn_credentials.operations.upkeep import Upkeep
from keyturn_shared.clock import SystemClock
from keyturn_shared.sealing import KeyRing
from tests.conformance.store.conftest import ACTOR, Instance, instance_of
from tests.support.admin_api import settings_for

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
    assert await renewing.operations.upkeep.renew_seals() == MANY + 1  # with the realm
    assert await renewing.operations.upkeep.renew_seals() == 0

    # Written by an instance that does not have the new keys yet: at the ends, and in the midst.
    late = ["a", f"{TEAMS[20]}-", "zz"]
    assert (
        late[0] < min(map(client_id_of, range(MANY))) < late[1] < max(map(client_id_of, range(MANY))) < "zz"
    )
    for client_id in late:
        await instance.operations.clients.create(ACTOR, REALM, {"clientId": client_id})
    assert await renewing.operations.upkeep.renew_seals() == len(late)
    assert await renewing.operations.upkeep.renew_seals() == 0
    await renewing.engines.close()


async def test_it_rests_between_what_it_looks_at(instance: Instance) -> None:
    await fill(instance.settings, MANY)
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    encryption, fleet = instance.settings.encryption_ring(), instance.settings.fleet_ring()
    upkeep = Upkeep(
        instance.store,
        SystemClock(),
        instance.operations.upkeep._projector,
        instance.operations.realms,
        encryption=encryption,
        fleet=fleet,
        sleep=sleep,
    )
    assert await upkeep.renew_seals() == 0
    assert len(rests) == 2
