"""Writes the steps of rotations: the client's credentials with their events, and the rotation itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Kind, Rotation, State
from keyturn_credentials.domain.rotation_frame import Step
from keyturn_credentials.operations.changes import Change, Changes
from keyturn_credentials.operations.permissions import Permission
from keyturn_credentials.operations.rotation_scene import Changed, CredentialKind, Scene
from keyturn_credentials.store.unit_of_work import UnitOfWork
from keyturn_shared.events import ClientRotationFailed

_SOON_SECONDS: Final = 0.5
"""A rotation that has moved is evaluated again after this time."""


class RotationChanges:
    """Writes steps in a caller's transaction, in which the client is locked."""

    def __init__(self, changes: Changes, kinds: Mapping[Kind, CredentialKind]) -> None:
        self.kinds: Final = kinds
        self._changes = changes

    async def write(
        self,
        transaction: UnitOfWork,
        principal: Principal,
        permission: Permission,
        scene: Scene,
        step: Step,
        *,
        and_then: Callable[[Client], Changed] | None = None,
    ) -> tuple[Rotation, int | None]:
        """Write a step. Return the rotation and the sequence of its last event, None if it has none. A step
        without an event has an audit entry of its own. ``and_then``: a further change of the client."""
        rotation, before, sequence = replace(step.after, failed_steps=0), scene.client, None
        changed = self.kinds[rotation.kind].changes(scene, step, transaction.now)
        if and_then is not None:
            changed.append(and_then(changed[-1][0] if changed else before))
        details = {"rotation": rotation.id, "state": rotation.state.value, "reason": rotation.reason.value}
        if rotation.alert is not None:
            details["alert"] = rotation.alert.value
        if rotation.failure is not None:
            details |= {"failure": rotation.failure.code.value, "detail": rotation.failure.detail}
            failed = partial(
                ClientRotationFailed,
                rotation=rotation.id,
                kind=rotation.kind.value,
                reason=rotation.failure.code.value,
            )
            changed.append((changed[-1][0] if changed else before, failed))
        for state, event in changed:
            after = replace(state, version=before.version + 1)
            change = Change(after=after, event=event, value=None, details=details)
            sequence = await self._changes.write_clients(
                transaction, principal, permission, scene.realm, [(before, change)]
            )
            before = after
        if sequence is not None:
            rotation = rotation.with_sequence(sequence)
        else:
            permission(principal, scene.realm.name, [before])
            await transaction.audit(
                "rotation_moved",
                realm_id=scene.realm.id,
                client_uuid=before.uuid,
                client_id=before.client_id,
                details=details,
            )
        gave_up = rotation.state in (State.CANCELLED, State.ROLLED_BACK, State.FAILED)
        await transaction.rotations.update(
            rotation,
            next_at=transaction.now + _SOON_SECONDS,
            hold_until=transaction.now + scene.rules.rest_of(rotation) if gave_up else None,
        )
        await self._note_key_age(transaction, scene.client, rotation, is_changed=bool(changed))
        return rotation, sequence

    async def _note_key_age(
        self, transaction: UnitOfWork, client: Client, rotation: Rotation, *, is_changed: bool
    ) -> None:
        """Leave the client's keys as old as before until the rotation is done: it may be given up."""
        since = client.keys_since if is_changed else None
        if rotation.state is State.DONE:
            since = transaction.now
        if rotation.kind is Kind.KEY and since is not None:
            await transaction.clients.note_key_age(client, since)
