"""Rotations of keys that begin and move by themselves."""

from collections.abc import Mapping

import structlog

from keyturn_credentials.domain.key_rotation_steps import KeyStep, next_key_step
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Kind, Reason, Rotation
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.errors import ConflictError, InvalidRequestError, LimitReachedError
from keyturn_credentials.operations.key_rotation_changes import KeyRotationChanges, key_facts_in, uses_keys
from keyturn_credentials.operations.key_rotations import FetchedKeys, rotated_keys_of
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS
from keyturn_credentials.operations.rotation_changes import Scene, has_turn, scene_of
from keyturn_credentials.operations.rotations import new_rotation
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from keyturn_shared.clock import Clock

_log = structlog.get_logger(__name__)


class KeyRotationRunner:
    """Part of ``RotationRunner``: the same rules for several instances hold."""

    def __init__(self, store: Store, changes: KeyRotationChanges, clock: Clock, fetched: FetchedKeys) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock
        self._fetched = fetched

    async def plan(
        self, realms: Mapping[str, Realm], known: Mapping[str, RotationRules | None], *, most: int
    ) -> int:
        """Begin a rotation of each key for which a policy asks. ``known``: the rules of the realms, by id.
        Return their number."""
        now = self._clock.now()
        by_hand = [realm_id for realm_id, rules in known.items() if rules and not rules.automatic]
        async with self._store.find() as reading:
            due = await reading.due_key_rotations.by_own_policy(now, by_hand=by_hand, most=most)
        for realm_id, rules in known.items():
            if rules is None or rules.keys.period is None:
                continue
            earliest = now - rules.keys.period + min(rules.jitter, rules.keys.period // 2)
            async with self._store.find() as reading:
                uuids = await reading.due_key_rotations.by_realm_policy(
                    realm_id, now, before=earliest, automatic=rules.automatic, most=most
                )
            due += [(realm_id, uuid) for uuid in uuids]
        begun = [await self._plan_client(realms[each].name, uuid) for each, uuid in due if each in realms]
        return sum(begun)

    async def advance(
        self, seen: Rotation, scene: Scene, *, applied: bool, used: Mapping[str, float]
    ) -> bool:
        """Take the step that is due, if any. It is decided again in the transaction that writes it."""
        fetched = await self._fetched(scene.realm, scene.client)

        def decide(scene: Scene, *, has_turn: bool, now: float) -> KeyStep | None:
            facts = key_facts_in(scene, seen, fetched=fetched, applied=applied, used=used, has_turn=has_turn)
            return next_key_step(seen, scene.rules, facts, now)

        if decide(scene, has_turn=True, now=self._clock.now()) is None:
            return False
        realm, client = scene.realm, scene.client
        async with self._store.change(SYSTEM) as transaction:
            found = await transaction.clients.get_with_realm_for_change(realm.name, client.uuid)
            if found is None or await transaction.rotations.get_for_change(realm.id, seen.id) != seen:
                return False
            now_scene = scene_of(*found)
            if now_scene.client.jwks_url != client.jwks_url:
                return False  # what was fetched is not from its URL
            turn = await has_turn(transaction, now_scene, seen)
            step = decide(now_scene, has_turn=turn, now=transaction.now)
            if step is None:
                return False
            await self._changes.write(transaction, SYSTEM.principal, CONFIGURE_CLIENTS, now_scene, step)
        return True

    async def _plan_client(self, realm_name: str, client_uuid: str) -> bool:
        try:
            async with self._store.change(SYSTEM) as transaction:
                found = await transaction.clients.get_with_realm_for_change(realm_name, client_uuid)
                if found is None:
                    return False
                scene, now = scene_of(*found), transaction.now
                client = scene.client
                start_at = scene.rules.key_start_at(client.uuid, client.keys_since)
                if start_at is None or start_at > now or not client.is_confidential or not uses_keys(client):
                    return False
                rotation = new_rotation(
                    scene,
                    Kind.KEY,
                    Reason.POLICY,
                    start_at=start_at,
                    now=now,
                    keys=rotated_keys_of(client, None),
                )
                await transaction.rotations.insert(rotation, next_at=now)
        except ConflictError:  # another instance was first
            return False
        except (InvalidRequestError, LimitReachedError) as error:
            _log.warning("rotation_not_begun", client=client_uuid, detail=error.detail)
            return False
        return True
