"""Rotations that begin and move by themselves."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Kind, Reason, Rotation, State
from keyturn_credentials.domain.rotation_rules import RotationRules, lead_of
from keyturn_credentials.domain.rotation_steps import Step, next_step
from keyturn_credentials.errors import ConflictError, InvalidRequestError, LimitReachedError
from keyturn_credentials.operations.key_rotation_runner import KeyRotationRunner
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS
from keyturn_credentials.operations.policy_sweep import PolicySweep
from keyturn_credentials.operations.rotation_changes import (
    RotationChanges,
    Scene,
    due_by_policy,
    facts_in,
    has_turn,
    scene_of,
)
from keyturn_credentials.operations.rotations import new_rotation
from keyturn_credentials.operations.used_credentials import LastUsed, used_credentials
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import name_of_secret

BATCH: Final = 100
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_PATIENCE: Final = 0.1
"""A rotation that has waited in a state is evaluated again after a tenth of that time."""


_log = structlog.get_logger(__name__)

HasApplied = Callable[[int], Awaitable[bool]]
"""Returns whether every node has applied an event, or cannot answer any more."""


class RotationRunner:
    """Plans the rotations that policies ask for, and takes the steps that are due.

    Any number of instances may run it. A step is decided again in its transaction, in which the client and
    the rotation are locked, and a client has one open rotation at most, so each step is taken once.
    """

    def __init__(
        self,
        store: Store,
        changes: RotationChanges,
        sweep: PolicySweep,
        clock: Clock,
        last_used: LastUsed,
        has_applied: HasApplied,
        keys: KeyRotationRunner,
    ) -> None:
        self._store = store
        self._changes = changes
        self._sweep = sweep
        self._clock = clock
        self._last_used = last_used
        self._has_applied = has_applied
        self._keys = keys

    async def plan(self) -> int:
        """Begin a rotation of each secret for which a policy asks. Return their number."""
        now = self._clock.now()
        async with self._store.read() as reading:
            realms = {realm.id: realm for realm in await reading.realms.all()}
            known = {realm.id: _rules_of(realm) for realm in realms.values()}
            by_hand = [realm_id for realm_id, rules in known.items() if rules and not rules.automatic]
            due = await reading.rotations.due_by_own_policy(now, by_hand=by_hand, most=BATCH)
        for realm in realms.values():
            rules = known[realm.id]
            if rules is None or rules.policy is None:
                continue
            await self._sweep.visit(realm, rules)
            lead = lead_of(rules.policy) + rules.jitter
            async with self._store.find() as reading:
                uuids = await reading.rotations.due_by_realm_policy(
                    realm.id, now, lead=lead, automatic=rules.automatic, most=BATCH
                )
            due += [(realm.id, uuid) for uuid in uuids]
        begun = [await self._plan_client(realms[each].name, uuid) for each, uuid in due if each in realms]
        return sum(begun) + await self._keys.plan(realms, known, most=BATCH)

    async def advance(self) -> int:
        """Take the steps that are due. Return their number."""
        now = self._clock.now()
        async with self._store.find() as reading:
            due = await reading.rotations.due(now, most=BATCH)
        steps, later = 0, dict[str, float]()
        for rotation in due:
            if await self._try(rotation):
                steps += 1
            else:
                later[rotation.id] = now + pause_of(rotation, now)
        if later:
            async with self._store.change(SYSTEM) as transaction:
                await transaction.rotations.reschedule(later, now=now)
        return steps

    async def count(self) -> dict[tuple[State, bool], int]:
        """Count open rotations by state, and by whether they have an alert."""
        async with self._store.find() as reading:
            return await reading.rotations.count()

    async def _plan_client(self, realm_name: str, client_uuid: str) -> bool:
        try:
            async with self._store.change(SYSTEM) as transaction:
                found = await transaction.clients.get_with_realm_for_change(realm_name, client_uuid)
                if found is None:
                    return False
                scene = scene_of(*found)
                start_at = due_by_policy(scene, transaction.now)
                if start_at is None:
                    return False
                now = transaction.now
                rotation = new_rotation(scene, Kind.SECRET, Reason.POLICY, start_at=start_at, now=now)
                await transaction.rotations.insert(rotation, next_at=now)
        except ConflictError:  # another instance was first
            return False
        except InvalidRequestError as error:
            _log.warning("rotation_not_begun", client=client_uuid, detail=error.detail)
            return False
        return True

    async def _try(self, rotation: Rotation) -> bool:
        """Take the step that is due, if any. One that cannot be taken holds no other rotation up."""
        try:
            return await self._advance(rotation)
        except (InvalidRequestError, LimitReachedError) as error:  # attributes that an earlier build stored
            _log.warning("rotation_not_advanced", rotation=rotation.id, detail=error.detail)
            return False

    async def _advance(self, seen: Rotation) -> bool:
        """Take the step that is due, if any. It is decided again in the transaction that writes it."""
        async with self._store.find() as reading:
            client = await reading.clients.get(seen.realm_id, seen.client_uuid)
            realm = await reading.realms.get_by_id(seen.realm_id)
        if client is None or realm is None:
            return False
        applied = seen.sequence is None or await self._has_applied(seen.sequence)
        used = await used_credentials(self._last_used, seen.client_uuid)
        if seen.kind is Kind.KEY:
            return await self._keys.advance(seen, scene_of(realm, client), applied=applied, used=used)

        def decide(scene: Scene, *, has_turn: bool, now: float) -> Step | None:
            facts = facts_in(
                scene,
                seen,
                now,
                applied=applied,
                used=lambda digest: name_of_secret(digest) in used,
                has_turn=has_turn,
            )
            return next_step(seen, scene.rules, facts, now)

        if decide(scene_of(realm, client), has_turn=True, now=self._clock.now()) is None:
            return False
        async with self._store.change(SYSTEM) as transaction:
            found = await transaction.clients.get_with_realm_for_change(realm.name, client.uuid)
            if found is None or await transaction.rotations.get_for_change(realm.id, seen.id) != seen:
                return False
            scene = scene_of(*found)
            turn = await has_turn(transaction, scene, seen)
            step = decide(scene, has_turn=turn, now=transaction.now)
            if step is None:
                return False
            await self._changes.write(transaction, SYSTEM.principal, CONFIGURE_CLIENTS, scene, step)
        return True


def pause_of(rotation: Rotation, now: float) -> float:
    """Return the seconds until the conditions of a rotation that waits are evaluated again."""
    waited = (now - rotation.state_since) * _PATIENCE
    pause = min(max(waited, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
    times = (time - now for time in (rotation.deadline, rotation.retire_at) if time is not None)
    return min([pause, *(max(left, FIRST_PAUSE_SECONDS) for left in times if left > 0)])


def _rules_of(realm: Realm) -> RotationRules | None:
    """Return the rules of a realm; None if an earlier build wrote some that are invalid."""
    try:
        return RotationRules.from_attributes({}, realm.attributes)
    except InvalidRequestError:
        return None
