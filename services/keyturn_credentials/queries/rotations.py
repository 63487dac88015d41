"""Rotations with what they wait for, for callers."""

from collections.abc import Collection
from dataclasses import dataclass

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_client, require_realm
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.realm_key_rotations import RealmKeyRotation, realm_key_rotations
from keyturn_credentials.domain.rotation import Kind, Rotation, State, WaitsFor
from keyturn_credentials.domain.rotation_frame import Facts, waits_for
from keyturn_credentials.domain.rotation_planning import Planned, plan_for, plan_for_key, within
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.rotation_secrets import is_undelivered
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.store.planned_clients import find_expiring, find_oldest_keys
from keyturn_credentials.store.unit_of_work import Reading, Store
from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry, summarize


@dataclass(frozen=True, slots=True)
class ShownRotation:
    """A rotation, the id of its client, and the condition of its next move."""

    rotation: Rotation
    client_id: str
    waits_for: WaitsFor | None


class RotationQueries:
    """All raise NotFoundError if the realm, client or rotation does not exist, and StoreUnavailableError."""

    def __init__(self, store: Store, registry: FleetRegistry, clock: Clock) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock

    async def of_realm(
        self, realm_name: str, states: Collection[State], *, most: int, kind: Kind | None = None
    ) -> list[ShownRotation]:
        """Return a realm's rotations, newest first. ``states``: only in these; empty: in any. ``kind``: only
        of this one; None: of any."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            found = await reading.rotations.of_realm(realm.id, states, most=most, kind=kind)
            clients, under_way = await _surroundings(reading, realm, found)
        return await self._show(realm, clients, under_way, found)

    async def of_realm_keys(self, realm_name: str) -> list[RealmKeyRotation]:
        """Return the rotations of a realm's signing keys, newest first."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            keys = await reading.realms.keys(realm.id)
        return realm_key_rotations(realm, keys, self._clock.now())

    async def of_client(self, realm_name: str, client_uuid: str, *, most: int) -> list[ShownRotation]:
        """Return a client's rotations, newest first."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            client = require_client(await reading.clients.get(realm.id, client_uuid))
            found = await reading.rotations.of_client(client.uuid, most=most)
            clients, under_way = await _surroundings(reading, realm, found)
        return await self._show(realm, clients, under_way, found)

    async def plan(self, realm_name: str, *, seconds: float, most: int) -> list[Planned]:
        """Return what policies will do within so many seconds, soonest first: to the ``most`` secrets that
        expire soonest, and to as many of the oldest keys."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            clients = await find_expiring(reading, realm.id, most=most, only_current=True)
            with_keys = await find_oldest_keys(reading, realm.id, most=most)
        now = self._clock.now()
        planned = [
            plan(client, RotationRules.from_attributes(client.attributes, realm.attributes), now)
            for plan, found in ((plan_for, clients), (plan_for_key, with_keys))
            for client in found
        ]
        return within(planned, now + seconds)

    async def one(self, realm_name: str, rotation_id: str) -> ShownRotation:
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            found = await reading.rotations.get(realm.id, rotation_id)
            if found is None:
                raise NotFoundError("Could not find rotation")
            clients, under_way = await _surroundings(reading, realm, [found])
        shown = await self._show(realm, clients, under_way, [found])
        if not shown:
            raise NotFoundError("Could not find rotation")
        return shown[0]

    async def _show(
        self, realm: Realm, clients: dict[str, Client], under_way: dict[Kind, int], found: list[Rotation]
    ) -> list[ShownRotation]:
        applied = await self._applied(found)
        now, shown = self._clock.now(), []
        for rotation in found:
            client = clients.get(rotation.client_uuid)
            if client is None:
                continue  # deleted meanwhile
            rules = RotationRules.from_attributes(client.attributes, realm.attributes)
            facts = Facts(
                applied=rotation.sequence is None or rotation.id in applied,
                is_undelivered=realm.keeps_digests_only and is_undelivered(client.secrets, rotation),
                has_turn=rules.max_at_once is None or under_way.get(rotation.kind, 0) < rules.max_at_once,
            )
            waits = waits_for(rotation, rules, facts, now)
            shown.append(ShownRotation(rotation, client.client_id, waits))
        return shown

    async def _applied(self, found: list[Rotation]) -> set[str]:
        """Return the ids of the rotations whose newest event every node has applied, as far as is known."""
        waiting = [each for each in found if each.state in (State.PREPARED, State.RETIRED) and each.sequence]
        if not waiting:
            return set()
        try:
            views = await self._registry.views([each.sequence for each in waiting])
        except RedisUnavailableError:
            return set()
        return {
            each.id
            for each, view in zip(waiting, views, strict=True)
            if summarize(view, each.sequence or 0).safe
        }


async def _surroundings(
    reading: Reading, realm: Realm, found: list[Rotation]
) -> tuple[dict[str, Client], dict[Kind, int]]:
    """Return the clients of rotations, and how many rotations of the realm are under way by policy, by
    kind."""
    clients = await reading.clients.by_uuid(realm.id, {each.client_uuid for each in found})
    planned = {each.kind for each in found if each.state is State.PLANNED}
    return clients, {kind: await reading.rotations.count_under_way(realm.id, kind) for kind in planned}
