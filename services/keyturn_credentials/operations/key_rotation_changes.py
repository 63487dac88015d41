"""Writes the steps of rotations of keys: the client's keys with their events, and the rotation itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.key_rotation_steps import KeyAct, KeyFacts, KeyStep, keys_in
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Rotation, State
from keyturn_credentials.operations.client_keys import with_revoked_key
from keyturn_credentials.operations.permissions import Permission
from keyturn_credentials.operations.registered_keys import (
    restored,
    thumbprints_of,
    with_next_key,
    without_keys,
)
from keyturn_credentials.operations.rotation_changes import RotationChanges, Scene
from keyturn_credentials.store.unit_of_work import UnitOfWork
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.events import ClientKeyRevoked, ClientKeysChanged, Event
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.jose.jwk import VerificationKey

Changed = tuple[Client, Callable[..., Event]]
"""A client after a change, and what makes the change's event."""


@dataclass(frozen=True, slots=True)
class Added:
    """A key to register. ``instead_of``: thumbprints of the registered keys that it replaces."""

    key: VerificationKey
    instead_of: tuple[str, ...] = ()


class KeyRotationChanges:
    """Writes steps in a caller's transaction, in which the client is locked."""

    def __init__(self, changes: RotationChanges) -> None:
        self._changes = changes

    async def write(
        self,
        transaction: UnitOfWork,
        principal: Principal,
        permission: Permission,
        scene: Scene,
        step: KeyStep,
        *,
        added: Added | None = None,
    ) -> tuple[Rotation, int | None]:
        """Write a step. Return the rotation and the sequence of its last event, None if it has none.
        ``added``: the successor to register."""
        client, now = scene.client, transaction.now
        if step.after.state is State.DONE:
            await transaction.clients.note_key_age(client, now)
        changed = _changes_of(client, step, now)
        if added is not None:
            latest = changed[-1][0] if changed else client
            registered = with_next_key(latest, added.key, instead_of=added.instead_of)
            changed.append((registered, partial(ClientKeysChanged, source="jwks")))
        written = await self._changes.record(transaction, principal, permission, scene, step.after, changed)
        if changed and client.keys_since is not None:
            # Its keys are as old as before until the rotation is done: it may be given up.
            await transaction.clients.note_key_age(client, client.keys_since)
        return written


def key_facts_in(
    scene: Scene,
    rotation: Rotation,
    *,
    fetched: frozenset[str] | None,
    applied: bool = False,
    used: Mapping[str, float] | None = None,
    has_turn: bool = True,
) -> KeyFacts:
    """Return what is known for the next step. ``fetched``: thumbprints of the keys at the client's URL, None
    if unknown. ``used``: names of credentials and their last use."""
    client = scene.client
    published, accepted = client.jwks_url is not None, fetched
    if not published:
        accepted = thumbprints_of(client)
    elif fetched is not None:
        accepted = fetched - client.revoked_keys.keys()
    began = int(rotation.created_at)
    successors = keys_in(rotation).successors
    return KeyFacts(
        uses_keys=client.is_confidential and uses_keys(client),
        published=published,
        accepted=accepted,
        used=frozenset(key for key in successors if (used or {}).get(name_of_key(key), -1) >= began),
        keys_since=client.keys_since,
        applied=applied,
        has_turn=has_turn,
    )


def uses_keys(client: Client) -> bool:
    """Return whether the client authenticates by keys of its own."""
    return CLIENT_AUTHENTICATORS[client.authenticator].credential == "keys"


def _changes_of(client: Client, step: KeyStep, now: float) -> list[Changed]:
    keys = keys_in(step.after)
    former = keys.former or ()
    match step.act:
        case KeyAct.REMOVE_FORMER:
            return [(without_keys(client, former), partial(ClientKeysChanged, source="jwks"))]
        case KeyAct.REMOVE_SUCCESSORS:
            source = "jwks" if keys.certificate is None else "certificate"
            return [(restored(client, keys), partial(ClientKeysChanged, source=source))]
        case KeyAct.REVOKE_FORMER:
            changed: list[Changed] = []
            for thumbprint in (key for key in former if key not in client.revoked_keys):
                client = with_revoked_key(client, thumbprint, former, now)
                event: Callable[..., Any] = partial(ClientKeyRevoked, thumbprint=thumbprint)
                changed.append((client, event))
            return changed
        case _:
            return []
