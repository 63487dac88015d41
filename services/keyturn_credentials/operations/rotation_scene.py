"""A client with its rules for rotations, as a step is decided on it."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_client, require_realm
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Kind, Move, Reason, RotatedKeys, Rotation, State
from keyturn_credentials.domain.rotation_frame import Step
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.store.unit_of_work import UnitOfWork
from keyturn_shared.events import Event

Changed = tuple[Client, Callable[..., Event]]
"""A client after a change, and what makes the change's event."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A client in a transaction, locked, with its realm and the rules for its rotations."""

    realm: Realm
    client: Client
    rules: RotationRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Knowledge that is not in a client's row. ``used``: names of credentials and their last use.
    ``fetched``: thumbprints of the keys at its URL, None if unknown. ``applied``, ``has_turn``: as in
    ``Facts``."""

    applied: bool = False
    used: Mapping[str, float] = field(default_factory=dict)
    fetched: frozenset[str] | None = None
    has_turn: bool = True


class CredentialKind(Protocol):
    """The part of rotations that depends on the kind of credential: pure decisions, and their effect."""

    def due_since(self, scene: Scene, now: float) -> float | None:
        """Return since when a policy asks for a rotation; None if it does not yet."""

    def keys(self, scene: Scene) -> RotatedKeys | None:
        """Return what a rotation by policy knows of the client's keys. Raises InvalidRequestError."""

    def next_step(self, scene: Scene, rotation: Rotation, seen: Seen, now: float) -> Step | None:
        """Return the step that is due; None while the rotation waits."""

    def cancel(self, scene: Scene, rotation: Rotation, now: float) -> Step | None:
        """Return the step that gives the rotation up; None if it is too late."""

    def confirm(self, scene: Scene, rotation: Rotation, now: float) -> Step | None:
        """Return the step that notes that the client has the successor; None if there is none to have."""

    def changes(self, scene: Scene, step: Step, now: float) -> list[Changed]:
        """Return the client after each change that a step makes to it, one after the other."""


def scene_of(realm: Realm, client: Client) -> Scene:
    return Scene(realm, client, RotationRules.from_attributes(client.attributes, realm.attributes))


async def lock_scene(transaction: UnitOfWork, realm_name: str, client_uuid: str) -> Scene:
    """Lock a client. Raises NotFoundError."""
    found = await transaction.clients.get_with_realm_for_change(realm_name, client_uuid)
    if found is None:
        require_realm(await transaction.realms.get(realm_name))
        require_client(None)
    assert found is not None  # noqa: S101 - require_client has raised
    return scene_of(*found)


async def has_turn(transaction: UnitOfWork, scene: Scene, rotation: Rotation) -> bool:
    """Return whether the realm's limit of rotations of a kind under way lets a planned one begin."""
    limit = scene.rules.max_at_once
    if limit is None or rotation.state is not State.PLANNED:
        return True
    await transaction.lock_event_log()  # no other rotation can begin until this one has
    return await transaction.rotations.count_under_way(scene.realm.id, rotation.kind) < limit


async def begin(
    transaction: UnitOfWork,
    scene: Scene,
    kind: Kind,
    reason: Reason,
    *,
    keys: RotatedKeys | None = None,
    start_at: float | None = None,
) -> Rotation:
    """Insert a planned rotation of the client's credential. If that is compromised, it supersedes an open
    one. ``start_at``: now by default. Raises ConflictError if another one is open."""
    now = transaction.now
    if reason is Reason.COMPROMISED:
        other = await open_of_kind(transaction, scene.client.uuid, kind)
        if other is not None:
            await transaction.rotations.update(other.moved(State.SUPERSEDED, now), next_at=now)
    rotation = Rotation(
        id=str(uuid.uuid4()),
        realm_id=scene.realm.id,
        client_uuid=scene.client.uuid,
        kind=kind,
        reason=reason,
        created_at=now,
        start_at=now if start_at is None else start_at,
        overlap=scene.rules.overlap if kind is Kind.SECRET else scene.rules.keys.overlap,
        history=(Move(State.PLANNED, now),),
        keys=keys,
    )
    await transaction.rotations.insert(rotation, next_at=now)
    return rotation


async def open_of_kind(transaction: UnitOfWork, client_uuid: str, kind: Kind) -> Rotation | None:
    """Return the client's open rotation of a kind. Who changes it has locked the client before."""
    found = await transaction.rotations.open_of_client(client_uuid)
    return next((each for each in found if each.kind is kind), None)
