"""Writes the steps of rotations: the client's secrets with their event, and the rotation itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Rotation, State
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.rotation_secrets import is_undelivered, secrets_after
from keyturn_credentials.domain.rotation_steps import Act, Facts, Step
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.operations.changes import Change, Changes
from keyturn_credentials.operations.permissions import Permission
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.store.unit_of_work import UnitOfWork
from keyturn_shared.events import ClientSecretRevoked, ClientSecretRotated, ClientUpdated, Event

_SOON_SECONDS: Final = 0.5
"""A rotation that has moved is evaluated again after this time."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A client in a transaction, locked, with its realm and the rules for its rotations."""

    realm: Realm
    client: Client
    rules: RotationRules


class RotationChanges:
    """Writes steps in a caller's transaction, in which the client is locked."""

    def __init__(self, changes: Changes, secrets: SecretIssuer) -> None:
        self._changes = changes
        self._secrets = secrets

    async def write(
        self,
        transaction: UnitOfWork,
        principal: Principal,
        permission: Permission,
        scene: Scene,
        step: Step,
    ) -> tuple[Rotation, int | None]:
        """Write a step. Return the rotation and the sequence of its event, None if it has none. A step
        without an event has an audit entry of its own."""
        secrets = self._apply(scene, step, transaction.now)
        changed: list[tuple[Client, Callable[..., Event]]] = []
        if secrets != scene.client.secrets:
            changed.append((replace(scene.client, secrets=secrets), _event(step.act, secrets)))
        return await self.record(transaction, principal, permission, scene, step.after, changed)

    async def record(
        self,
        transaction: UnitOfWork,
        principal: Principal,
        permission: Permission,
        scene: Scene,
        rotation: Rotation,
        changed: Sequence[tuple[Client, Callable[..., Event]]],
    ) -> tuple[Rotation, int | None]:
        """Write a rotation after a step, with the client's states after the step's changes, one after the
        other, and what makes their events. Return as ``write`` does."""
        before, sequence = scene.client, None
        details = {"rotation": rotation.id, "state": rotation.state.value, "reason": rotation.reason.value}
        if rotation.alert is not None:
            details["alert"] = rotation.alert.value
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
        gave_up = rotation.state in (State.CANCELLED, State.ROLLED_BACK)
        await transaction.rotations.update(
            rotation,
            next_at=transaction.now + _SOON_SECONDS,
            hold_until=transaction.now + scene.rules.rest_of(rotation) if gave_up else None,
        )
        return rotation, sequence

    def _apply(self, scene: Scene, step: Step, now: float) -> ClientSecrets:
        client, realm = scene.client, scene.realm

        def make() -> StoredSecret:
            secret = self._secrets.generate(client)
            return self._secrets.store(client, realm, secret, now, until_delivered=True)

        return secrets_after(
            client.secrets,
            step,
            scene.rules,
            now,
            make=make,
            digests_only=realm.keeps_digests_only,
            signs=client.signs_with_secret,
        )


def scene_of(realm: Realm, client: Client) -> Scene:
    return Scene(realm, client, RotationRules.from_attributes(client.attributes, realm.attributes))


async def has_turn(transaction: UnitOfWork, scene: Scene, rotation: Rotation) -> bool:
    """Return whether the realm's limit of rotations of a kind under way lets a planned one begin."""
    limit = scene.rules.max_at_once
    if limit is None or rotation.state is not State.PLANNED:
        return True
    await transaction.lock_event_log()  # no other rotation can begin until this one has
    return await transaction.rotations.count_under_way(scene.realm.id, rotation.kind) < limit


def due_by_policy(scene: Scene, now: float) -> float | None:
    """Return since when a policy asks for the rotation of the client's secret; None if it does not yet. An
    expired secret stays expired."""
    current = scene.client.secrets.current
    if not scene.client.is_confidential or current is None or current.expires_at is None:
        return None
    start_at = scene.rules.start_at(scene.client.uuid, current.expires_at)
    return start_at if start_at is not None and start_at <= now < current.expires_at else None


def facts_in(
    scene: Scene,
    rotation: Rotation,
    now: float,
    *,
    applied: bool,
    used: Callable[[str], bool],
    has_turn: bool,
) -> Facts:
    """Return what is known for the next step. ``used``: whether a secret with this digest has been used."""
    current, former = scene.client.secrets.current, scene.client.secrets.rotated
    is_successor = current is not None and current.rotation == rotation.id
    return Facts(
        is_successor_current=is_successor,
        is_confidential=scene.client.is_confidential,
        current_expires_at=None if current is None else current.expires_at,
        applied=applied,
        is_undelivered=scene.realm.keeps_digests_only and is_undelivered(scene.client.secrets, rotation),
        successor_used=is_successor and current is not None and used(current.digest),
        has_former=former is not None and former.is_valid(now),
        has_turn=has_turn,
    )


def _event(act: Act, secrets: ClientSecrets) -> Callable[..., Event]:
    if act is Act.PREPARE:
        until = None if secrets.rotated is None else secrets.rotated.expires_at
        return partial(ClientSecretRotated, former_valid_until=until)
    return ClientSecretRevoked if act in (Act.RETIRE, Act.RESTORE) else ClientUpdated
