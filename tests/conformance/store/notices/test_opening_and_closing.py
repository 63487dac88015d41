"""Notices open once, are updated, and close when their cause is gone."""

import asyncio
import json

import pytest
from sqlalchemy import insert, select, update

from keyturn_credentials.domain.notices import DeliveryState
from keyturn_credentials.domain.realm_keys import PUBLISHED_BEFORE_USE
from keyturn_credentials.domain.rotation import Reason
from keyturn_credentials.keystores.certificates import certificate_body
from keyturn_credentials.operations import notice_changes, notice_sweep
from keyturn_credentials.operations.notice_judgement import UPKEEP_SECONDS
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.store.tables import admin_keys, clients, rotations
from tests.conformance.store.conftest import ACTOR
from tests.conformance.store.notices.scene import BY_HAND, BY_URL, DAY, FAILING, Scene, still_used
from tests.testkit.key_material import issued


async def test_a_secret_that_ends_has_a_notice_until_it_is_replaced(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes=BY_HAND)
    await scene.create("billing")
    assert await scene.after() == ["secret_ending"]
    (notice,) = await scene.notices()
    assert (notice.realm, notice.client_id, notice.client_uuid) == ("acme", "orders", uuid)
    assert (notice.since, notice.ends_at) == (scene.clock.time, scene.clock.time + 10 * DAY)
    assert await scene.after(days=9) == ["secret_ending"]
    assert await scene.notices() == [notice]
    assert await scene.after(days=2) == ["secret_ended"]
    await scene.operations.secrets.regenerate(ClientTarget(ACTOR, "acme", uuid))
    assert await scene.after() == ["secret_ending"]
    await scene.change(uuid, attributes={"keyturn.rotation.automatic": "true"})
    assert await scene.after() == []


async def test_the_realm_says_how_soon_is_soon(scene: Scene) -> None:
    await scene.create("orders", attributes=BY_HAND)
    soon = {"keyturn.notices.lead-time": str(3 * DAY)}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), {"attributes": soon})
    assert await scene.after() == []
    assert await scene.after(days=8) == ["secret_ending"]


async def test_a_client_that_is_renamed_disabled_or_deleted(scene: Scene) -> None:
    uuid = await scene.create("orders", attributes=BY_HAND)
    await scene.after()
    (before,) = await scene.notices()
    await scene.change(uuid, clientId="renamed")
    await scene.after()
    (after,) = await scene.notices()
    assert (after.id, after.since, after.client_id) == (before.id, before.since, "renamed")
    await scene.change(uuid, enabled=False)
    assert await scene.after() == []
    await scene.change(uuid, enabled=True)
    assert await scene.after() == ["secret_ending"]
    assert (await scene.notices())[0].id != before.id
    await scene.operations.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    assert await scene.after() == []


async def test_of_a_deleted_realm_every_notice_closes_and_is_told(scene: Scene) -> None:
    await scene.create("orders", attributes=BY_HAND)
    await scene.after()
    await scene.send()
    await scene.operations.realms.delete(RealmTarget(ACTOR, "acme"))
    assert await scene.after() == []
    await scene.send()
    assert [json.loads(body)["type"] for body in scene.posted.bodies] == ["notice.opened", "notice.closed"]


async def test_a_certificate_is_found_even_if_an_earlier_build_stored_it(scene: Scene) -> None:
    certificate = {"jwt.credential.certificate": certificate_body(issued("orders", "orders"))}
    uuid = await scene.create("orders", clientAuthenticatorType="client-jwt", attributes=certificate)
    ends = select(clients.c.certificate_ends_at).where(clients.c.uuid == uuid)
    async with scene.store.database.writing() as connection:
        ends_at = (await connection.execute(ends)).scalar_one()
        await connection.execute(update(clients).values(certificate_ends_at=None))
    assert ends_at is not None
    scene.clock.time = ends_at - 5 * DAY
    codes = await scene.after()
    assert "certificate_ending" in codes
    async with scene.store.database.reading() as connection:
        assert (await connection.execute(ends)).scalar_one() == ends_at
    assert "certificate_ended" in await scene.after(days=6)
    await scene.change(uuid, clientAuthenticatorType="client-secret")
    assert not any(code.startswith("certificate") for code in await scene.after())


async def test_a_jwks_url_that_fails_before_and_after_its_keys_are_unusable(scene: Scene) -> None:
    await scene.create("orders", clientAuthenticatorType="client-jwt", attributes=BY_URL)
    scene.fetched.health = still_used(DAY, scene.clock.time)
    assert await scene.after() == ["key_set_failing"]
    scene.fetched.answers = False
    assert await scene.after(days=2) == ["key_set_failing"]
    scene.fetched.answers = True
    assert await scene.after() == ["key_set_unusable"]
    scene.fetched.health = None
    assert await scene.after() == []


async def test_without_redis_everything_else_is_judged(scene: Scene) -> None:
    scene.fetched.answers = False
    await scene.create("by-url", clientAuthenticatorType="client-jwt", attributes=BY_URL)
    await scene.create("orders", attributes=BY_HAND)
    assert await scene.after() == ["secret_ending"]


async def test_a_rotation_with_an_alert(scene: Scene) -> None:
    uuid = await scene.create("orders")
    target = ClientTarget(ACTOR, "acme", uuid)
    begun = await scene.operations.rotations.start(target, Reason.MANUAL)
    async with scene.store.database.writing() as connection:
        kept = (await connection.execute(select(rotations.c.document))).scalar_one()
        await connection.execute(update(rotations).values(document=kept | {"alert": "successor_unused"}))
    assert await scene.after() == ["rotation_alert"]
    (notice,) = await scene.notices()
    assert (notice.rotation_id, notice.client_id) == (begun.rotation.id, "orders")
    await scene.operations.rotations.cancel(ACTOR, "acme", begun.rotation.id)
    assert await scene.after() == []


async def test_an_alert_of_a_clients_second_rotation_is_found_where_a_page_ends(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_sweep, "PAGE", 1)
    uuid = await scene.create("orders")
    await scene.operations.rotations.start(ClientTarget(ACTOR, "acme", uuid), Reason.MANUAL)
    async with scene.store.database.writing() as connection:
        row = (await connection.execute(select(rotations))).one()
        await connection.execute(
            update(rotations).values(document=row.document | {"alert": "successor_unused"})
        )
        of_key = {**row._mapping, "id": "of-the-key", "kind": "key"}
        await connection.execute(insert(rotations), of_key)
    assert await scene.after() == ["rotation_alert"]


async def test_a_closing_is_told_even_if_an_instance_without_the_receiver_finds_it(scene: Scene) -> None:
    """Settings change on one instance after the other."""
    uuid = await scene.create("orders", attributes=BY_HAND)
    await scene.after()
    await scene.send()
    await scene.operations.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    await scene.instance(scene.store, announces=False).round()
    assert await scene.notices() == []
    await scene.send()
    types = [json.loads(body)["type"] for body in scene.posted.bodies]
    assert types == ["notice.opened", "notice.closed"]


async def test_a_key_of_the_realm_that_is_overdue(scene: Scene) -> None:
    earlier = admin_keys.c.state_since - 91 * DAY
    active = admin_keys.c.state == "active"
    async with scene.store.database.writing() as connection:
        await connection.execute(update(admin_keys).where(active).values(state_since=earlier))
    assert await scene.after() == []
    assert await scene.after(days=UPKEEP_SECONDS / DAY) == ["realm_key_overdue"]
    await scene.instances[1].round()
    assert await scene.codes() == ["realm_key_overdue"], "another instance has seen it only now"
    (notice,) = await scene.notices()
    assert notice.kid is not None
    assert notice.kid in notice.detail
    for _ in range(2):  # the next key is published before it signs
        await scene.operations.maintenance.rotate_due_keys()
        scene.clock.time += PUBLISHED_BEFORE_USE + 1
    assert await scene.after() == []


async def test_a_shorter_period_of_keys_is_no_fault_of_upkeep(scene: Scene) -> None:
    scene.clock.time += 3 * DAY
    shorter = {"attributes": {"keyturn.signing.rotation-period": "3600"}}
    await scene.operations.realms.update(RealmTarget(ACTOR, "acme"), shorter)
    assert await scene.after() == []
    await scene.operations.maintenance.rotate_due_keys()
    scene.clock.time += UPKEEP_SECONDS
    assert await scene.after() == []


async def test_two_instances_at_once_open_one_notice_and_make_one_webhook(scene: Scene) -> None:
    for number in range(5):
        await scene.create(f"orders-{number}", attributes=BY_HAND)
    await asyncio.gather(*(instance.round() for instance in scene.instances))
    assert len(await scene.notices()) == 5
    await scene.send()
    assert len(scene.posted.bodies) == len(set(scene.posted.ids)) == 5


async def test_what_was_open_before_there_was_a_receiver_is_told_of_once(scene: Scene) -> None:
    await scene.create("orders", attributes=BY_HAND)
    silent = scene.instance(scene.store, announces=False)
    await silent.round()
    assert [notice.delivery for notice in await scene.notices()] == [None]
    assert await scene.send() == []
    for _ in range(2):
        await scene.after()
        await scene.send()
    assert len(scene.posted.bodies) == 1
    assert [notice.delivery for notice in await scene.notices()] == [DeliveryState.DELIVERED]


async def test_a_clock_that_is_set_back_leaves_notices_right(scene: Scene) -> None:
    await scene.create("orders", attributes=BY_HAND)
    assert await scene.after(days=11) == ["secret_ended"]
    assert await scene.after(days=-5) == ["secret_ending"]
    assert await scene.after(days=5) == ["secret_ended"]


async def test_a_realm_has_so_many_open_notices_of_a_kind(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_changes, "MAX_OPEN", 3)
    monkeypatch.setattr(notice_sweep, "PAGE", 2)
    uuids = [await scene.create(f"orders-{number}", attributes=BY_HAND) for number in range(7)]
    assert await scene.after() == ["secret_ending"] * 3
    first = (await scene.notices())[0]
    await scene.operations.clients.delete(ClientTarget(ACTOR, "acme", str(first.client_uuid)))
    assert await scene.after() == ["secret_ending"] * 3
    for uuid in uuids:
        if uuid != first.client_uuid:
            await scene.change(uuid, enabled=False)
    assert await scene.after() == []


async def test_an_error_in_one_walk_does_not_stop_the_others(scene: Scene) -> None:
    """A row that nobody can read ends a walk; one whose secret cannot be decrypted does not."""
    await scene.create("broken", attributes=BY_HAND)
    async with scene.store.database.writing() as connection:
        await connection.execute(update(clients).values(secrets={"current": {"sealed": None}}))
    earlier = admin_keys.c.state_since - 91 * DAY
    async with scene.store.database.writing() as connection:
        await connection.execute(update(admin_keys).values(state_since=earlier))
    for _ in range(2):  # an overdue key has a notice if it is still overdue later
        errors, complete = 0, False
        while not complete:
            try:
                complete = await scene.instances[0].sweep.step()
            except KeyError:
                errors += 1
        assert errors >= 1
        scene.clock.time += UPKEEP_SECONDS
    assert "realm_key_overdue" in await scene.codes()


async def test_a_url_of_a_disabled_client_closes_even_while_it_fails(scene: Scene) -> None:
    uuid = await scene.create("orders", clientAuthenticatorType="client-jwt", attributes=BY_URL)
    scene.fetched.health = FAILING
    assert await scene.after() == ["key_set_unusable"]
    await scene.change(uuid, enabled=False)
    assert await scene.after() == []
