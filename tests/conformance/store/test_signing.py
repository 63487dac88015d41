"""Written data is signed, and data of a former build or key is signed in the background."""

from prometheus_client import CollectorRegistry
from sqlalchemy import select, update

from keyturn_credentials.operations.signing_loop import SigningLoop
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.signatures import Signatures
from keyturn_credentials.store.tables import projections
from keyturn_shared.clock import SystemClock
from keyturn_shared.projection import client_field, projection_value
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import without_signature
from keyturn_shared.signed_log.verifier import LogVerifier
from tests.conformance.store.conftest import ACTOR, Instance

NEW = LogSigningKeys([b"n" * 32])


async def rows(instance: Instance) -> dict[str, tuple[int, bytes | None]]:
    async with instance.database.reading() as connection:
        return {row.field: (row.sequence, row.body) for row in await connection.execute(select(projections))}


async def require_signed(instance: Instance, keys: LogSigningKeys) -> None:
    verifier = LogVerifier(keys.verification(), await instance.log.identity())
    for field, (sequence, body) in (await rows(instance)).items():
        if body is not None:
            assert verifier.projection(field, projection_value(sequence, body))[0] == sequence


async def fill(instance: Instance) -> None:
    await instance.operations.realms.create(ACTOR, {"realm": "acme"})
    for name in ("a", "b", "c", "gone"):
        done = await instance.operations.clients.create(ACTOR, "acme", {"clientId": name})
    await instance.operations.clients.delete(ClientTarget(ACTOR, "acme", done.value[0].uuid))


async def test_events_and_projections_are_signed_as_they_are_written(instance: Instance) -> None:
    await fill(instance)
    keys = instance.settings.log_keys()
    await require_signed(instance, keys)
    verifier = LogVerifier(keys.verification(), await instance.log.identity())
    for event in await instance.log.read(1, 100):
        assert verifier.event(event.sequence, event.payload)


async def test_the_identity_of_a_log_is_the_same_for_all_instances(
    instance: Instance, other: Instance
) -> None:
    identity = await instance.log.identity()
    assert len(identity) == 36
    assert await other.log.identity() == identity


async def test_what_is_unsigned_or_signed_by_a_former_key_is_signed_anew(instance: Instance) -> None:
    await fill(instance)
    before = await rows(instance)
    async with instance.database.writing() as connection:
        for field, (_, body) in list(before.items())[:2]:
            if body is not None:
                bare = update(projections).where(projections.c.field == field)
                await connection.execute(bare.values(body=without_signature(body)))
    signatures, metrics = Signatures(instance.database, NEW), CollectorRegistry()
    loop = SigningLoop(signatures, SystemClock(), metrics)
    await loop.task.run()
    await require_signed(instance, NEW)
    assert {field: sequence for field, (sequence, _) in (await rows(instance)).items()} == {
        field: sequence for field, (sequence, _) in before.items()
    }
    assert metrics.get_sample_value("keyturn_log_signatures_current") == 1
    assert metrics.get_sample_value("keyturn_log_signatures_renewed_total") == 4
    assert (await signatures.look("", 100)).others == ()


async def test_a_change_that_comes_between_is_not_undone(instance: Instance) -> None:
    await fill(instance)
    signatures = Signatures(instance.database, NEW)
    page = await signatures.look("", 100)
    async with instance.store.read() as reading:
        realm = await reading.realms.get("acme")
        assert realm is not None
        client = await reading.clients.find(realm.id, "a")
    assert client is not None
    changed = await instance.operations.clients.update(
        ClientTarget(ACTOR, "acme", client.uuid), {"enabled": False}
    )
    await signatures.renew(page)
    sequence, body = (await rows(instance))[client_field(realm.id, "a")]
    assert body is not None
    assert sequence == changed.sequence
    assert b'"enabled":false' in body
    assert len((await signatures.look("", 100)).others) == 1
