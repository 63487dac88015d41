"""Of administrators that go at the same time at two instances, one stays, on both databases."""

import asyncio

from keyturn_credentials.errors import LastAdministratorError
from keyturn_credentials.operations.targets import ClientTarget
from tests.conformance.store.conftest import ACTOR, Instance

ROUNDS = 5
ROLES = {"keyturn.admin.roles": "admin"}


async def administrator(instance: Instance, client_id: str) -> ClientTarget:
    made = await instance.operations.clients.create(
        ACTOR, "master", {"clientId": client_id, "attributes": ROLES}
    )
    return ClientTarget(ACTOR, "master", made.value[0].uuid)


async def test_one_of_two_administrators_stays(instance: Instance, other: Instance) -> None:
    await instance.operations.realms.create(ACTOR, {"realm": "master"})
    kept = await administrator(instance, "kept")
    for number in range(ROUNDS):
        second = await administrator(instance, f"second-{number}")
        outcomes = await asyncio.gather(
            instance.operations.clients.update(kept, {"enabled": False}),
            other.operations.clients.delete(second),
            return_exceptions=True,
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert [type(each) for each in refused] == [LastAdministratorError]
        if isinstance(outcomes[0], BaseException):
            continue
        kept = second
