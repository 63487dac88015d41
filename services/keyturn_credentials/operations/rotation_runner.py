"""Rotations that begin and move by themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

import structlog

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Kind, Reason, Rotation, State
from keyturn_credentials.domain.rotation_failure import MAX_FAILED_STEPS, FailureCode
from keyturn_credentials.domain.rotation_frame import Step, fail, may_fail
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.errors import ConflictError, InvalidRequestError, LimitReachedError
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS
from keyturn_credentials.operations.policy_sweep import PolicySweep
from keyturn_credentials.operations.rotation_changes import RotationChanges
from keyturn_credentials.operations.rotation_scene import Scene, Seen, begin, has_turn, scene_of
from keyturn_credentials.operations.used_credentials import LastUsed, used_credentials
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from keyturn_shared.clock import Clock
from keyturn_shared.tasks import end_tasks

T = TypeVar("T")

BATCH: Final = 100
_AT_ONCE: Final = 6
"""Rotations of a batch that move at the same time."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_PATIENCE: Final = 0.1
"""A rotation that has waited in a state is evaluated again after a tenth of that time."""


_log = structlog.get_logger(__name__)

HasApplied = Callable[[int], Awaitable[bool]]
"""Returns whether every node has applied an event, or cannot answer any more."""
FetchedKeys = Callable[[Realm, Client], Awaitable[frozenset[str] | None]]
"""Returns the thumbprints of the keys that the fleet uses from a client's URL; None if they are not known."""


class RotationRunner:
    """Plans the rotations that policies ask for, and takes the steps that are due.

    Any number of instances may run it. A step is decided again in its transaction, in which the client and
    the rotation are locked, and a client has one open rotation of a kind at most, so each step is taken once.
    """

    def __init__(
        self,
        store: Store,
        changes: RotationChanges,
        sweep: PolicySweep,
        clock: Clock,
        last_used: LastUsed,
        has_applied: HasApplied,
        fetched: FetchedKeys,
    ) -> None:
        self._store = store
        self._changes = changes
        self._sweep = sweep
        self._clock = clock
        self._last_used = last_used
        self._has_applied = has_applied
        self._fetched = fetched

    async def plan(self) -> int:
        """Begin a rotation of each credential for which a policy asks. Return their number."""
        now = self._clock.now()
        async with self._store.read() as reading:
            realms = {realm.id: realm for realm in await reading.realms.all()}
            known = {realm.id: _rules_of(realm) for realm in realms.values()}
            by_hand = [realm_id for realm_id, rules in known.items() if rules and not rules.automatic]
            due = {
                kind: await reading.due_rotations.by_own_policy(kind, now, by_hand=by_hand, most=BATCH)
                for kind in Kind
            }
        for realm in realms.values():
            rules = known[realm.id]
            if rules is None:
                continue
            if rules.policy is not None:
                await self._sweep.visit(realm, rules)
            for kind in Kind:
                until = rules.reach(kind, now)
                if until is None:
                    continue
                async with self._store.find() as reading:
                    uuids = await reading.due_rotations.by_realm_policy(
                        kind, realm.id, now, until=until, automatic=rules.automatic, most=BATCH
                    )
                due[kind] += [(realm.id, uuid) for uuid in uuids]
        planned = await self._at_once(
            partial(self._plan_client, kind, realms[realm_id].name, uuid)
            for kind, found in due.items()
            for realm_id, uuid in found
            if realm_id in realms
        )
        return sum(planned)

    async def advance(self) -> list[Rotation]:
        """Take the steps that are due. Return the rotations after them."""
        now = self._clock.now()
        async with self._store.find() as reading:
            due = await reading.rotations.due(now, most=BATCH)
        moved, later = list[Rotation](), dict[str, float]()
        tried = await self._at_once(partial(self._try, rotation) for rotation in due)
        for rotation, after in zip(due, tried, strict=True):
            if after is not None:
                moved.append(after)
            else:
                later[rotation.id] = now + pause_of(rotation, now)
        if later:
            async with self._store.change(SYSTEM) as transaction:
                await transaction.rotations.reschedule(later, now=now)
        return moved

    async def count(self) -> dict[tuple[State, bool], int]:
        """Count open rotations by state, and by whether they have an alert."""
        async with self._store.find() as reading:
            return await reading.rotations.count()

    async def _at_once(self, calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
        """Make these calls, some at once, and return the results in their order. Beside many requests, one
        after the other would hardly get on: each wait costs a turn of the event loop. Raises the first error;
        what has not been done then is left for the next time."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def in_turn(call: Callable[[], Awaitable[T]]) -> T:
            async with turns:
                return await call()

        tasks = [asyncio.create_task(in_turn(call)) for call in calls]
        try:
            return await asyncio.gather(*tasks)
        finally:
            await end_tasks(*tasks)

    async def _plan_client(self, kind: Kind, realm_name: str, client_uuid: str) -> bool:
        of_kind = self._changes.kinds[kind]
        try:
            async with self._store.change(SYSTEM) as transaction:
                found = await transaction.clients.get_with_realm_for_change(realm_name, client_uuid)
                if found is None:
                    return False
                scene = scene_of(*found)
                start_at = of_kind.due_since(scene, transaction.now)
                if start_at is None:
                    return False
                keys = of_kind.keys(scene)
                await begin(transaction, scene, kind, Reason.POLICY, keys=keys, start_at=start_at)
        except ConflictError:  # another instance was first
            return False
        except (InvalidRequestError, LimitReachedError) as error:
            _log.warning("rotation_not_begun", client=client_uuid, detail=error.detail)
            return False
        return True

    async def _try(self, rotation: Rotation) -> Rotation | None:
        """Take the step that is due, if any. One that cannot be taken holds no other rotation up. Return the
        rotation after it."""
        try:
            return await self._advance(rotation)
        except (InvalidRequestError, LimitReachedError) as error:  # attributes that an earlier build stored
            _log.warning("rotation_not_advanced", rotation=rotation.id, detail=error.detail)
            cause = error.detail
        try:
            return await self._note_failed_step(rotation, cause)
        except (InvalidRequestError, LimitReachedError) as error:
            _log.warning("rotation_not_ended", rotation=rotation.id, detail=error.detail)
            return None

    async def _note_failed_step(self, seen: Rotation, cause: str) -> Rotation | None:
        """Count a step that could not be taken. Return the rotation if it fails by that."""
        async with self._store.change(SYSTEM) as transaction:
            realm = await transaction.realms.get_by_id(seen.realm_id)
            if realm is None:
                return None
            found = await transaction.clients.get_with_realm_for_change(realm.name, seen.client_uuid)
            if found is None or await transaction.rotations.get_for_change(realm.id, seen.id) != seen:
                return None
            count, now = seen.failed_steps + 1, transaction.now
            if count < MAX_FAILED_STEPS or not may_fail(seen):
                noted = replace(seen, failed_steps=min(count, MAX_FAILED_STEPS))
                await transaction.rotations.update(noted, next_at=now + pause_of(seen, now))
                return None
            try:
                scene = scene_of(*found)
            except InvalidRequestError:
                scene = Scene(*found, RotationRules(None))
            step = fail(seen, FailureCode.STEP_FAILED, now, cause)
            after, _ = await self._changes.write(
                transaction, SYSTEM.principal, CONFIGURE_CLIENTS, scene, step
            )
        return after

    async def _advance(self, seen: Rotation) -> Rotation | None:
        """Take the step that is due, if any. It is decided again in the transaction that writes it. Return
        the rotation after it."""
        async with self._store.find() as reading:
            client = await reading.clients.get(seen.realm_id, seen.client_uuid)
            realm = await reading.realms.get_by_id(seen.realm_id)
        if client is None or realm is None:
            return None
        known = Seen(
            applied=seen.sequence is None or await self._has_applied(seen.sequence),
            used=await used_credentials(self._last_used, seen.client_uuid),
            fetched=await self._fetched(realm, client) if seen.kind is Kind.KEY else None,
        )

        def decide(scene: Scene, known: Seen, now: float) -> Step | None:
            return self._changes.kinds[seen.kind].next_step(scene, seen, known, now)

        if decide(scene_of(realm, client), known, self._clock.now()) is None:
            return None
        async with self._store.change(SYSTEM) as transaction:
            found = await transaction.clients.get_with_realm_for_change(realm.name, client.uuid)
            if found is None or await transaction.rotations.get_for_change(realm.id, seen.id) != seen:
                return None
            scene = scene_of(*found)
            if scene.client.jwks_url != client.jwks_url:
                return None  # what was fetched is not from its URL
            known = replace(known, has_turn=await has_turn(transaction, scene, seen))
            step = decide(scene, known, transaction.now)
            if step is None:
                return None
            after, _ = await self._changes.write(
                transaction, SYSTEM.principal, CONFIGURE_CLIENTS, scene, step
            )
        return after


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
