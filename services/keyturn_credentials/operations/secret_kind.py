"""Rotations of secrets: what they see of a client, and what their steps do to it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from keyturn_credentials.domain.rotation import RotatedKeys, Rotation
from keyturn_credentials.domain.rotation_frame import Act, Step
from keyturn_credentials.domain.rotation_secrets import is_undelivered, secrets_after
from keyturn_credentials.domain.rotation_steps import SecretFacts, cancel, confirm, next_step
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.operations.rotation_scene import Changed, Scene, Seen
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_shared.events import ClientSecretRevoked, ClientSecretRotated, ClientUpdated, Event
from keyturn_shared.fleet.last_used import name_of_secret


class SecretKind:
    """The ``CredentialKind`` of secrets."""

    def __init__(self, secrets: SecretIssuer) -> None:
        self._secrets = secrets

    def due_since(self, scene: Scene, now: float) -> float | None:
        """Return since when a policy asks for it. An expired secret stays expired."""
        current = scene.client.secrets.current
        if not scene.client.needs_secret or current is None or current.expires_at is None:
            return None
        start_at = scene.rules.start_at(scene.client.uuid, current.expires_at)
        return start_at if start_at is not None and start_at <= now < current.expires_at else None

    def keys(self, scene: Scene) -> RotatedKeys | None:
        return None

    def next_step(self, scene: Scene, rotation: Rotation, seen: Seen, now: float) -> Step | None:
        return next_step(rotation, scene.rules, _facts(scene, rotation, seen, now), now)

    def cancel(self, scene: Scene, rotation: Rotation, now: float) -> Step | None:
        return cancel(rotation, _facts(scene, rotation, Seen(), now), now)

    def confirm(self, scene: Scene, rotation: Rotation, now: float) -> Step | None:
        return confirm(rotation, _facts(scene, rotation, Seen(), now))

    def changes(self, scene: Scene, step: Step, now: float) -> list[Changed]:
        client, realm = scene.client, scene.realm

        def make() -> StoredSecret:
            secret = self._secrets.generate(client)
            return self._secrets.store(client, realm, secret, now, until_delivered=True)

        after = secrets_after(
            client.secrets,
            step,
            scene.rules,
            now,
            make=make,
            digests_only=realm.keeps_digests_only,
            signs=client.signs_with_secret,
        )
        return [] if after == client.secrets else [(replace(client, secrets=after), _event(step.act, after))]


def _facts(scene: Scene, rotation: Rotation, seen: Seen, now: float) -> SecretFacts:
    secrets = scene.client.secrets
    current, former = secrets.current, secrets.rotated
    is_successor = current is not None and current.rotation == rotation.id
    return SecretFacts(
        is_successor_current=is_successor,
        needs_secret=scene.client.needs_secret,
        is_enabled=scene.client.enabled,
        current_expires_at=None if current is None else current.expires_at,
        applied=seen.applied,
        is_undelivered=scene.realm.keeps_digests_only and is_undelivered(secrets, rotation),
        successor_used=is_successor and current is not None and name_of_secret(current.digest) in seen.used,
        has_former=former is not None and former.is_valid(now),
        has_turn=seen.has_turn,
    )


def _event(act: Act, secrets: ClientSecrets) -> Callable[..., Event]:
    if act is Act.PREPARE:
        until = None if secrets.rotated is None else secrets.rotated.expires_at
        return partial(ClientSecretRotated, former_valid_until=until)
    return ClientSecretRevoked if act in (Act.RETIRE, Act.RESTORE) else ClientUpdated
