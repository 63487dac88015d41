"""Old events and audit entries are deleted from the beginning; the rest stays as it was."""

from dataclasses import dataclass, field

import pytest
from sqlalchemy import Table, select

from keyturn_credentials.operations.retention import Retention
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.operations.wiring import Operations, build_operations
from keyturn_credentials.store.audit_chain import AuditChain
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.tables import events, projections
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.projection import client_field, realm_field
from tests.conformance.store.conftest import ACTOR, Instance
from tests.testkit.clocks import SetClock
from tests.testkit.stored_projections import stored_projections

DAY = 86_400.0


@dataclass
class Scene:
    """An instance whose time only the test advances."""

    instance: Instance
    clock: SetClock
    store: Store
    operations: Operations
    chain: AuditChain
    rests: list[float] = field(default_factory=list)

    def retention(self, *, event_days: float | None = None, audit_days: float | None = None) -> Retention:
        return Retention(
            self.store,
            self.clock,
            self.chain,
            event_days=event_days,
            audit_days=audit_days,
            sleep=self._sleep,
        )

    async def chained(self) -> None:
        """Add all audit entries to their chain: others are not deleted."""
        async with self.store.database.writing() as connection:
            await self.chain.extend(connection, self.clock.now(), 1000, None)

    async def _sleep(self, seconds: float) -> None:
        self.rests.append(seconds)

    async def column(self, table: Table, name: str) -> list[object]:
        async with self.store.read() as reading:
            found = await reading.connection.execute(select(table.c[name]).order_by(table.c[name]))
            return list(found.scalars())


@pytest.fixture
def scene(instance: Instance) -> Scene:
    clock = SetClock()
    store = Store(instance.database, clock, instance.settings.encryption_ring())
    chain = AuditChain(store.encryption, instance.settings.audit_keys())
    return Scene(instance, clock, store, build_operations(store, clock, instance.settings), chain)


async def test_old_events_go_with_the_marks_of_what_they_deleted(scene: Scene) -> None:
    realms, clients = scene.operations.realms, scene.operations.clients
    kept = (await realms.create(ACTOR, {"realm": "kept"})).value
    gone = (await realms.create(ACTOR, {"realm": "gone"})).value
    uuids = {}
    for realm, name in (("kept", "stays"), ("kept", "goes"), ("gone", "with-its-realm")):
        uuids[name] = (await clients.create(ACTOR, realm, {"clientId": name})).value[0].uuid
    await clients.delete(ClientTarget(ACTOR, "kept", uuids["goes"]))
    assert (await realms.delete(RealmTarget(ACTOR, "gone"))).sequence == 7
    scene.clock.time += 2 * DAY
    late = (await clients.create(ACTOR, "kept", {"clientId": "late"})).value[0].uuid
    assert (await clients.delete(ClientTarget(ACTOR, "kept", late))).sequence == 9

    stays = client_field(kept.id, "stays")
    marks = [client_field(kept.id, "goes"), realm_field("gone")]
    # A deleted realm's id, and that it had clients, is remembered forever: no other realm may have that id.
    known = {client_field(gone.id, ""), client_field(gone.id, "with-its-realm")}
    living = {stays, realm_field("kept"), *known}
    deleted_late = client_field(kept.id, "late")
    assert set(await scene.column(projections, "field")) == {*living, *marks, deleted_late}
    assert await scene.retention(event_days=3).forget_events() == 0
    assert await scene.retention(event_days=1).forget_events() == 7
    assert await scene.column(events, "sequence") == [8, 9]
    assert set(await scene.column(projections, "field")) == {*living, deleted_late}
    assert (await stored_projections(scene.instance.database, [stays]))[stays][1] is not None
    assert len(await scene.column(audit, "id")) == 9
    assert (await clients.create(ACTOR, "kept", {"clientId": "goes"})).sequence == 10


async def test_the_newest_event_stays_however_old_it_is(scene: Scene) -> None:
    await scene.operations.realms.create(ACTOR, {"realm": "one"})
    await scene.operations.realms.create(ACTOR, {"realm": "two"})
    scene.clock.time += 1000 * DAY
    assert await scene.retention(event_days=1).forget_events() == 1
    assert await scene.retention(event_days=1).forget_events() == 0
    assert await scene.column(events, "sequence") == [2]
    assert await scene.instance.log.head() == 2


async def test_what_follows_a_younger_event_stays_though_it_bears_an_older_date(scene: Scene) -> None:
    """A clock that was set back leaves no gap in the log."""
    for name, time in (("a", 1.0), ("b", 9.0), ("c", 2.0), ("d", 9.0)):
        scene.clock.time = time * DAY
        await scene.operations.realms.create(ACTOR, {"realm": name})
    assert await scene.retention(event_days=5).forget_events() == 1
    assert await scene.column(events, "sequence") == [2, 3, 4]


async def test_old_audit_entries_go_and_events_stay(scene: Scene) -> None:
    await scene.operations.realms.create(ACTOR, {"realm": "old"})
    scene.clock.time += 2 * DAY
    await scene.operations.realms.create(ACTOR, {"realm": "new"})
    await scene.chained()
    assert await scene.retention(audit_days=1).forget_audit() == 1
    assert await scene.column(audit, "sequence") == [2]
    assert await scene.column(events, "sequence") == [1, 2]


async def test_what_is_kept_for_ever_is_not_looked_at(scene: Scene) -> None:
    await scene.operations.realms.create(ACTOR, {"realm": "old"})
    await scene.operations.realms.create(ACTOR, {"realm": "newer"})
    scene.clock.time += 10_000 * DAY
    assert await scene.retention().forget_events() == 0
    assert await scene.retention().forget_audit() == 0
    assert await scene.column(events, "sequence") == [1, 2]
    assert await scene.column(audit, "sequence") == [1, 2]


async def test_many_are_forgotten_batch_by_batch_with_rests(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyturn_credentials.operations.retention._BATCH", 3)
    for number in range(8):
        await scene.operations.realms.create(ACTOR, {"realm": f"realm-{number}"})
    await scene.chained()
    scene.clock.time += 2 * DAY
    both = scene.retention(event_days=1, audit_days=1)
    assert await both.forget_events() == 7
    assert await both.forget_audit() == 8
    assert len(scene.rests) == 4
    assert await scene.column(events, "sequence") == [8]
    assert await scene.column(audit, "id") == []
