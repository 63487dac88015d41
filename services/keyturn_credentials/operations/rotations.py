"""Rotations begun, paused and given up by callers."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from keyturn_credentials.domain.guards import require_client, require_realm, require_version
from keyturn_credentials.domain.rotation import Kind, Move, Reason, Rotation, State
from keyturn_credentials.domain.rotation_steps import Facts, Step, cancel, confirm, next_step, pause
from keyturn_credentials.errors import ConflictError, InvalidRequestError, NotFoundError
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, Permission
from keyturn_credentials.operations.rotation_changes import RotationChanges, Scene, facts_in, scene_of
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import Actor, Store, UnitOfWork

_IN_VAIN: Final = (
    "the new secret is not there yet or was replaced, or the former one has ended or ends in any case"
)


@dataclass(frozen=True, slots=True)
class Moved:
    """A rotation after a call. ``sequence``: of the event that the call wrote, None without one."""

    rotation: Rotation
    sequence: int | None


class RotationOperations:
    """All raise NotFoundError, ForbiddenError, ConflictError, PreconditionFailedError, InvalidRequestError
    and StoreUnavailableError; then nothing was changed."""

    def __init__(self, store: Store, changes: RotationChanges) -> None:
        self._store = store
        self._changes = changes

    async def start(self, target: ClientTarget, kind: Kind, reason: Reason) -> Moved:
        """Rotate a client's credential now: the successor is accepted when the event has been applied. If it
        is compromised, an open rotation of it is superseded, and the former credential ends at once."""
        async with self._store.change(target.actor) as transaction:
            scene = await _scene(transaction, target.realm, target.client_uuid)
            require_version(scene.client.version, target.expected)
            if not scene.client.is_confidential or scene.client.secrets.current is None:
                raise InvalidRequestError("the client has no secret")
            if reason is Reason.COMPROMISED:
                await _supersede(transaction, scene)
            now = transaction.now
            rotation = new_rotation(scene, kind, reason, start_at=now, now=now)
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
        return await self._change(
            actor, realm, rotation_id, lambda rotation, scene, now: pause(rotation, scene.rules)
        )

    async def resume(self, actor: Actor, realm: str, rotation_id: str) -> Moved:
        """Let it move on."""
        return await self._change(
            actor, realm, rotation_id, lambda rotation, scene, now: Step(replace(rotation, paused=False))
        )

    async def cancel(self, actor: Actor, realm: str, rotation_id: str) -> Moved:
        """Give it up. A successor that was prepared is refused from then on, and the former credential is
        the only one again. Raises ConflictError once the former one has ended, or the successor was replaced.
        """
        return await self._change(
            actor,
            realm,
            rotation_id,
            lambda rotation, scene, now: cancel(rotation, _facts(scene, rotation, now), now),
        )

    async def confirm_delivery(
        self, actor: Actor, realm: str, rotation_id: str, permission: Permission = CONFIGURE_CLIENTS
    ) -> Moved:
        """Note that the client has the successor. Raises ConflictError before it was made."""
        return await self._change(
            actor,
            realm,
            rotation_id,
            lambda rotation, scene, now: confirm(rotation, _facts(scene, rotation, now)),
            permission,
        )

    async def _change(
        self,
        actor: Actor,
        realm_name: str,
        rotation_id: str,
        decide: Callable[[Rotation, Scene, float], Step | None],
        permission: Permission = CONFIGURE_CLIENTS,
    ) -> Moved:
        async with self._store.change(actor) as transaction:
            realm = require_realm(await transaction.realms.get(realm_name))
            found = await transaction.rotations.get(realm.id, rotation_id)
            if found is None:
                raise NotFoundError("Could not find rotation")
            scene = await _scene(transaction, realm_name, found.client_uuid)
            rotation = await transaction.rotations.get_for_change(realm.id, rotation_id)
            if rotation is None:
                raise NotFoundError("Could not find rotation")
            if not rotation.state.is_open:
                raise ConflictError(f"the rotation is {rotation.state.value}")
            step = decide(rotation, scene, transaction.now)
            if step is None:
                raise ConflictError(_IN_VAIN)
            moved, sequence = await self._changes.write(transaction, actor.principal, permission, scene, step)
        return Moved(moved, sequence)


def new_rotation(scene: Scene, kind: Kind, reason: Reason, *, start_at: float, now: float) -> Rotation:
    """Return a planned rotation of the client's credential."""
    return Rotation(
        id=str(uuid.uuid4()),
        realm_id=scene.realm.id,
        client_uuid=scene.client.uuid,
        kind=kind,
        reason=reason,
        created_at=now,
        start_at=start_at,
        overlap=scene.rules.overlap,
        history=(Move(State.PLANNED, now),),
    )


async def _scene(transaction: UnitOfWork, realm_name: str, client_uuid: str) -> Scene:
    found = await transaction.clients.get_with_realm_for_change(realm_name, client_uuid)
    if found is None:
        require_realm(await transaction.realms.get(realm_name))
        require_client(None)
    assert found is not None  # noqa: S101 - require_client has raised
    return scene_of(*found)


def _facts(scene: Scene, rotation: Rotation, now: float) -> Facts:
    """Return what the client's secrets alone say."""
    return facts_in(scene, rotation, now, applied=False, used=lambda digest: False, has_turn=True)


async def _supersede(transaction: UnitOfWork, scene: Scene) -> None:
    """End the client's open rotations: another one takes their place."""
    for rotation in await transaction.rotations.open_of_client(scene.client.uuid):
        ended = rotation.moved(State.SUPERSEDED, transaction.now)
        await transaction.rotations.update(ended, next_at=transaction.now)
