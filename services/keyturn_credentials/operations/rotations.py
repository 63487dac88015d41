"""Rotations begun, paused and given up by callers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from keyturn_credentials.domain.guards import require_realm, require_version
from keyturn_credentials.domain.rotation import Kind, Reason, Rotation
from keyturn_credentials.domain.rotation_frame import Step, pause
from keyturn_credentials.errors import ConflictError, InvalidRequestError, NotFoundError
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, Permission
from keyturn_credentials.operations.rotation_changes import RotationChanges
from keyturn_credentials.operations.rotation_scene import CredentialKind, Scene, Seen, begin, lock_scene
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import Actor, Store

_IN_VAIN: Final = (
    "the new secret is not there yet or was replaced, or the former one has ended or ends in any case"
)


Decide = Callable[[CredentialKind, Scene, Rotation, float], Step | None]
"""Decides what a call does to a rotation; None: nothing can be done."""


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

    async def start(self, target: ClientTarget, reason: Reason) -> Moved:
        """Rotate a client's secret now: the successor is accepted when the event has been applied. If it
        is compromised, an open rotation of it is superseded, and the former credential ends at once."""
        async with self._store.change(target.actor) as transaction:
            scene = await lock_scene(transaction, target.realm, target.client_uuid)
            require_version(scene.client.version, target.expected)
            if not scene.client.is_confidential or scene.client.secrets.current is None:
                raise InvalidRequestError("the client has no secret")
            rotation = await begin(transaction, scene, Kind.SECRET, reason)
            step = self._changes.kinds[Kind.SECRET].next_step(scene, rotation, Seen(), transaction.now)
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
            step = decide(self._changes.kinds[rotation.kind], scene, rotation, transaction.now)
            if step is None:
                raise ConflictError(_IN_VAIN)
            written = await self._changes.write(transaction, actor.principal, permission, scene, step)
        return Moved(*written)


def _pause(of_kind: CredentialKind, scene: Scene, rotation: Rotation, now: float) -> Step | None:
    return pause(rotation, scene.rules)


def _resume(of_kind: CredentialKind, scene: Scene, rotation: Rotation, now: float) -> Step | None:
    return Step(replace(rotation, paused=False))


def _cancel(of_kind: CredentialKind, scene: Scene, rotation: Rotation, now: float) -> Step | None:
    return of_kind.cancel(scene, rotation, now)


def _confirm(of_kind: CredentialKind, scene: Scene, rotation: Rotation, now: float) -> Step | None:
    return of_kind.confirm(scene, rotation, now)
