"""Rotations begun, paused and given up by callers."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from keyturn_credentials.domain.guards import require_client, require_realm, require_version
from keyturn_credentials.domain.key_rotation_steps import KeyStep, cancel_key, pause_key
from keyturn_credentials.domain.rotation import Kind, Move, Reason, RotatedKeys, Rotation, State
from keyturn_credentials.domain.rotation_steps import Facts, Step, cancel, confirm, next_step, pause
from keyturn_credentials.errors import ConflictError, InvalidRequestError, NotFoundError
from keyturn_credentials.operations.key_rotation_changes import KeyRotationChanges, key_facts_in
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, Permission
from keyturn_credentials.operations.rotation_changes import RotationChanges, Scene, facts_in, scene_of
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import Actor, Store, UnitOfWork

_IN_VAIN: Final = (
    "the new secret is not there yet or was replaced, or the former one has ended or ends in any case"
)


Decide = Callable[[Rotation, Scene, float], Step | KeyStep | None]
"""Decides what a call does to a rotation; None: nothing can be done."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A rotation after a call. ``sequence``: of the event that the call wrote, None without one."""

    rotation: Rotation
    sequence: int | None


class RotationOperations:
    """All raise NotFoundError, ForbiddenError, ConflictError, PreconditionFailedError, InvalidRequestError
    and StoreUnavailableError; then nothing was changed."""

    def __init__(self, store: Store, changes: RotationChanges, key_changes: KeyRotationChanges) -> None:
        self._store = store
        self._changes = changes
        self._key_changes = key_changes

    async def start(self, target: ClientTarget, reason: Reason) -> Moved:
        """Rotate a client's secret now: the successor is accepted when the event has been applied. If it
        is compromised, an open rotation of it is superseded, and the former credential ends at once."""
        async with self._store.change(target.actor) as transaction:
            scene = await lock_scene(transaction, target.realm, target.client_uuid)
            require_version(scene.client.version, target.expected)
            if not scene.client.is_confidential or scene.client.secrets.current is None:
                raise InvalidRequestError("the client has no secret")
            if reason is Reason.COMPROMISED:
                await supersede(transaction, scene, Kind.SECRET)
            now = transaction.now
            rotation = new_rotation(scene, Kind.SECRET, reason, start_at=now, now=now)
            await transaction.rotations.insert(rotation, next_at=now)
            facts = Facts(current_expires_at=scene.client.secrets.current.expires_at)
            step = next_step(rotation, scene.rules, facts, now)
            assert step is not None, "it waits for nothing"  # noqa: S101 - else next_step is wrong
            moved, sequence = await self._changes.write(
                transaction, target.actor.principal, CONFIGURE_CLIENTS, scene, step
            )
        return Moved(moved, sequence)

    async def pause(self, actor: Actor, realm: str, rotation_id: str) -> Moved:
        """Stop it from moving on. The client keeps the credentials that it has: neither expires. Raises
        ConflictError once the former one has ended, or if the policy ends it on time in any case."""
        return await self._change(actor, realm, rotation_id, _pause)

    async def resume(self, actor: Actor, realm: str, rotation_id: str) -> Moved:
        """Let it move on."""
        return await self._change(actor, realm, rotation_id, _resume)

    async def cancel(self, actor: Actor, realm: str, rotation_id: str) -> Moved:
        """Give it up. A successor that was prepared is refused from then on, and the former credential is
        the only one again; but a key that the client publishes stays accepted. Raises ConflictError once the
        former one has ended, or the successor was replaced."""
        return await self._change(actor, realm, rotation_id, _cancel)

    async def confirm_delivery(
        self, actor: Actor, realm: str, rotation_id: str, permission: Permission = CONFIGURE_CLIENTS
    ) -> Moved:
        """Note that the client has the successor. Raises ConflictError before it was made, and for a key,
        which the client has made itself."""
        return await self._change(actor, realm, rotation_id, _confirm, permission)

    async def _change(
        self,
        actor: Actor,
        realm_name: str,
        rotation_id: str,
        decide: Decide,
        permission: Permission = CONFIGURE_CLIENTS,
    ) -> Moved:
        async with self._store.change(actor) as transaction:
            realm = require_realm(await transaction.realms.get(realm_name))
            found = await transaction.rotations.get(realm.id, rotation_id)
            if found is None:
                raise NotFoundError("Could not find rotation")
            scene = await lock_scene(transaction, realm_name, found.client_uuid)
            rotation = await transaction.rotations.get_for_change(realm.id, rotation_id)
            if rotation is None:
                raise NotFoundError("Could not find rotation")
            if not rotation.state.is_open:
                raise ConflictError(f"the rotation is {rotation.state.value}")
            step = decide(rotation, scene, transaction.now)
            if step is None:
                raise ConflictError(_IN_VAIN)
            if isinstance(step, KeyStep):
                written = await self._key_changes.write(transaction, actor.principal, permission, scene, step)
            else:
                written = await self._changes.write(transaction, actor.principal, permission, scene, step)
        return Moved(*written)


def new_rotation(
    scene: Scene,
    kind: Kind,
    reason: Reason,
    *,
    start_at: float,
    now: float,
    keys: RotatedKeys | None = None,
) -> Rotation:
    """Return a planned rotation of the client's credential."""
    return Rotation(
        id=str(uuid.uuid4()),
        realm_id=scene.realm.id,
        client_uuid=scene.client.uuid,
        kind=kind,
        reason=reason,
        created_at=now,
        start_at=start_at,
        overlap=scene.rules.overlap if kind is Kind.SECRET else scene.rules.keys.overlap,
        history=(Move(State.PLANNED, now),),
        keys=keys,
    )


async def lock_scene(transaction: UnitOfWork, realm_name: str, client_uuid: str) -> Scene:
    """Lock a client. Raises NotFoundError."""
    found = await transaction.clients.get_with_realm_for_change(realm_name, client_uuid)
    if found is None:
        require_realm(await transaction.realms.get(realm_name))
        require_client(None)
    assert found is not None  # noqa: S101 - require_client has raised
    return scene_of(*found)


def _pause(rotation: Rotation, scene: Scene, now: float) -> Step | KeyStep | None:
    return (pause_key if rotation.kind is Kind.KEY else pause)(rotation, scene.rules)


def _resume(rotation: Rotation, scene: Scene, now: float) -> Step | KeyStep | None:
    resumed = replace(rotation, paused=False)
    return KeyStep(resumed) if rotation.kind is Kind.KEY else Step(resumed)


def _cancel(rotation: Rotation, scene: Scene, now: float) -> Step | KeyStep | None:
    if rotation.kind is Kind.KEY:
        return cancel_key(rotation, key_facts_in(scene, rotation, fetched=None), now)
    return cancel(rotation, _facts(scene, rotation, now), now)


def _confirm(rotation: Rotation, scene: Scene, now: float) -> Step | KeyStep | None:
    return None if rotation.kind is Kind.KEY else confirm(rotation, _facts(scene, rotation, now))


def _facts(scene: Scene, rotation: Rotation, now: float) -> Facts:
    """Return what the client's secrets alone say."""
    return facts_in(scene, rotation, now, applied=False, used=lambda digest: False, has_turn=True)


async def supersede(transaction: UnitOfWork, scene: Scene, kind: Kind) -> None:
    """End the client's open rotation of a kind: another one takes its place."""
    for rotation in await transaction.rotations.open_of_client(scene.client.uuid):
        if rotation.kind is not kind:
            continue
        ended = rotation.moved(State.SUPERSEDED, transaction.now)
        await transaction.rotations.update(ended, next_at=transaction.now)
