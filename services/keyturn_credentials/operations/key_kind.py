"""Rotations of keys: what they see of a client, and what their steps do to it."""

from functools import partial

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.key_rotation_steps import KeyFacts, cancel_key, keys_in, next_key_step
from keyturn_credentials.domain.rotation import RotatedKeys, Rotation
from keyturn_credentials.domain.rotation_frame import Act, Step
from keyturn_credentials.operations.client_keys import with_revoked_key
from keyturn_credentials.operations.registered_keys import (
    certificate_of,
    restored,
    thumbprints_of,
    without_keys,
)
from keyturn_credentials.operations.rotation_scene import Changed, Scene, Seen
from keyturn_shared.events import ClientKeyRevoked, ClientKeysChanged
from keyturn_shared.fleet.last_used import name_of_key


class KeyKind:
    """The ``CredentialKind`` of keys, which their clients make themselves."""

    def due_since(self, scene: Scene, now: float) -> float | None:
        client = scene.client
        start_at = scene.rules.key_start_at(client.uuid, client.keys_since)
        return start_at if start_at is not None and start_at <= now and client.has_own_keys else None

    def keys(self, scene: Scene) -> RotatedKeys:
        return rotated_keys_of(scene.client, None)

    def next_step(self, scene: Scene, rotation: Rotation, seen: Seen, now: float) -> Step | None:
        return next_key_step(rotation, scene.rules, _facts(scene, rotation, seen), now)

    def cancel(self, scene: Scene, rotation: Rotation, now: float) -> Step | None:
        return cancel_key(rotation, _facts(scene, rotation, Seen()), now)

    def confirm(self, scene: Scene, rotation: Rotation, now: float) -> Step | None:
        return None  # the client has made it itself

    def changes(self, scene: Scene, step: Step, now: float) -> list[Changed]:
        keys, client = keys_in(step.after), scene.client
        former = keys.former or ()
        match step.act:
            case Act.REMOVE_FORMER:
                return [(without_keys(client, former), partial(ClientKeysChanged, source="jwks"))]
            case Act.REMOVE_SUCCESSORS:
                source = "jwks" if keys.certificate is None else "certificate"
                return [(restored(client, keys), partial(ClientKeysChanged, source=source))]
            case Act.REVOKE_FORMER:
                changed: list[Changed] = []
                for thumbprint in (key for key in former if key not in client.revoked_keys):
                    client = with_revoked_key(client, thumbprint, former, now)
                    changed.append((client, partial(ClientKeyRevoked, thumbprint=thumbprint)))
                return changed
            case _:
                return []


def rotated_keys_of(client: Client, fetched: frozenset[str] | None) -> RotatedKeys:
    """Return what a rotation knows of the client's keys when it begins. Raises InvalidRequestError."""
    if client.jwks_url is not None:
        return RotatedKeys(tuple(sorted(fetched)) if fetched else None, published=True)
    return RotatedKeys(tuple(sorted(thumbprints_of(client))), certificate=certificate_of(client))


def _facts(scene: Scene, rotation: Rotation, seen: Seen) -> KeyFacts:
    client, fetched = scene.client, seen.fetched
    published, accepted = client.jwks_url is not None, fetched
    if not published:
        accepted = thumbprints_of(client)
    elif fetched is not None:
        accepted = fetched - client.revoked_keys.keys()
    began, successors = int(rotation.created_at), keys_in(rotation).successors
    return KeyFacts(
        uses_keys=client.has_own_keys,
        published=published,
        accepted=accepted,
        used=frozenset(key for key in successors if seen.used.get(name_of_key(key), -1) >= began),
        revoked=frozenset(client.revoked_keys),
        keys_since=client.keys_since,
        is_enabled=client.enabled,
        applied=seen.applied,
        has_turn=seen.has_turn,
    )
