"""A client's own rotation: the client takes its new secret, or registers its next key, itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_client, require_realm
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Kind, Rotation, State, WaitsFor
from keyturn_credentials.domain.rotation_frame import Facts, waits_for
from keyturn_credentials.domain.rotation_rules import MIN_SELF_SERVICE_INTERVAL
from keyturn_credentials.domain.rotation_secrets import secret_to_take
from keyturn_credentials.errors import ConflictError, ForbiddenError, NotFoundError
from keyturn_credentials.operations.key_rotations import KeyRotationOperations
from keyturn_credentials.operations.permissions import being_the_client
from keyturn_credentials.operations.rotation_scene import Scene, scene_of
from keyturn_credentials.operations.rotations import RotationOperations
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import name_of_secret
from keyturn_shared.secret import Secret

MAX_INTERVAL_SECONDS: Final = 300
"""A rotation that a person begins is noticed by its client within this time."""
_WAITING_FOR_NODES_SECONDS: Final = 1
_TO_TAKE_SECONDS: Final = 5
_AUDIT_SECONDS: Final = 300.0
_MAX_AUDITED: Final = 10_000

HasApplied = Callable[[int], Awaitable[bool]]
"""Returns whether every node has applied an event, or cannot answer any more."""


@dataclass(frozen=True, slots=True)
class OwnRotation:
    """``rotation``: the open one, None without one. ``secret``: the new one, for its client to take.
    ``interval``: seconds after which the client should ask again. ``waits_for``: the condition of its next
    move."""

    rotation: Rotation | None
    secret: Secret | None
    interval: int
    waits_for: WaitsFor | None = None


class OwnRotationOperations:
    """Operations of the client named by the actor. They raise NotFoundError, ForbiddenError if its policy
    excludes them, ConflictError and StoreUnavailableError. ``used``: name of the credential with which the
    caller has authenticated."""

    def __init__(
        self,
        store: Store,
        rotations: RotationOperations,
        keys: KeyRotationOperations,
        clock: Clock,
        has_applied: HasApplied,
    ) -> None:
        self._store = store
        self._rotations = rotations
        self._keys = keys
        self._clock = clock
        self._has_applied = has_applied
        self._audited: dict[tuple[str, str | None], float] = {}

    async def read(self, actor: Actor, realm_name: str, kind: Kind, used: str) -> OwnRotation:
        """Return the client's rotation, and its new secret once every node accepts it, unless the caller has
        it. That it was shown is written into the audit log, once in five minutes for each address."""
        scene, rotation = await self._find(actor, realm_name, kind)
        if rotation is None:
            return OwnRotation(None, None, self._until_begin(scene, kind))
        own = await self._show(scene, rotation)
        if kind is Kind.KEY:
            return own
        secret = secret_to_take(scene.client.secrets, rotation, digests_only=scene.realm.keeps_digests_only)
        if secret is None or _is_current(scene.client, used):
            return own
        if own.waits_for is WaitsFor.NODES:
            return replace(own, interval=_WAITING_FOR_NODES_SECONDS)
        is_new = self._is_new(rotation, actor)
        if is_new or not rotation.self_service:
            await self._note(actor, scene.realm, scene.client, rotation)
        return replace(own, secret=secret, interval=_TO_TAKE_SECONDS)

    async def confirm(self, actor: Actor, realm_name: str, rotation_id: str, used: str) -> OwnRotation:
        """Note that an instance of the client has stored its new secret, with which it must have
        authenticated."""
        scene, rotation = await self._find(actor, realm_name, Kind.SECRET)
        if rotation is None or rotation.id != rotation_id:
            raise NotFoundError("the client has no such rotation under way")
        if not _is_current(scene.client, used):
            raise ConflictError("authenticate with the new secret to confirm it")
        if rotation.state is State.PREPARED and not rotation.delivered:
            moved = await self._rotations.confirm_delivery(actor, realm_name, rotation.id, being_the_client)
            rotation = moved.rotation
        return await self._show(scene, rotation)  # else confirmed before: the response may have been lost

    async def register(self, actor: Actor, realm_name: str, jwk: object, used: str) -> OwnRotation:
        """Register the client's next public key. Raises InvalidRequestError and LimitReachedError as well."""
        scene, _ = await self._find(actor, realm_name, Kind.KEY)
        target = ClientTarget(actor, realm_name, scene.client.uuid)
        moved = await self._keys.register(target, jwk, used)
        return await self._show(scene, moved.rotation)

    async def _show(self, scene: Scene, rotation: Rotation) -> OwnRotation:
        applied = rotation.sequence is None or await self._has_applied(rotation.sequence)
        now, rules = self._clock.now(), scene.rules
        waits = waits_for(rotation, rules, Facts(applied=applied), now)
        if rotation.kind is Kind.SECRET and not applied:
            waits = WaitsFor.NODES
        overlap = rules.keys.overlap if rotation.kind is Kind.KEY else rules.overlap
        interval = min(max(overlap // 2, MIN_SELF_SERVICE_INTERVAL), MAX_INTERVAL_SECONDS)
        return OwnRotation(rotation, None, interval, waits)

    async def _find(self, actor: Actor, realm_name: str, kind: Kind) -> tuple[Scene, Rotation | None]:
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            client = require_client(await reading.clients.get(realm.id, actor.principal.client_uuid))
            found = await reading.rotations.open_of_client(client.uuid)
        scene = scene_of(realm, client)
        if not scene.rules.self_service:
            raise ForbiddenError("the policy does not let this client rotate its own credentials")
        return scene, next((each for each in found if each.kind is kind), None)

    async def _note(self, actor: Actor, realm: Realm, client: Client, rotation: Rotation) -> None:
        """Write into the audit log that the secret is shown, and into the rotation that its client takes it
        itself: its other instances then have some time to do so too."""
        async with self._store.change(actor) as transaction:
            now = await transaction.rotations.get_for_change(realm.id, rotation.id)
            if now is not None and now.state.is_open and not now.self_service:
                await transaction.rotations.update(replace(now, self_service=True), next_at=transaction.now)
            await transaction.audit(
                "rotation_secret_shown",
                realm_id=realm.id,
                client_uuid=client.uuid,
                client_id=client.client_id,
                details={"rotation": rotation.id},
            )

    def _is_new(self, rotation: Rotation, actor: Actor) -> bool:
        """Return whether the audit log has no recent entry for this rotation and address."""
        key, now = (rotation.id, actor.remote_address), self._clock.elapsed()
        if now - self._audited.get(key, -_AUDIT_SECONDS) < _AUDIT_SECONDS:
            return False
        if len(self._audited) >= _MAX_AUDITED:
            self._audited.clear()
        self._audited[key] = now
        return True

    def _until_begin(self, scene: Scene, kind: Kind) -> int:
        """Return the seconds until the policy begins a rotation, within bounds."""
        client, rules = scene.client, scene.rules
        if kind is Kind.KEY:
            interval = MAX_INTERVAL_SECONDS
            start_at = rules.key_start_at(client.uuid, client.keys_since)
        else:
            interval = min(rules.self_service_interval, MAX_INTERVAL_SECONDS)
            current = client.secrets.current
            ends = None if current is None else current.expires_at
            start_at = None if ends is None else rules.start_at(client.uuid, ends)
        if start_at is None:
            return interval
        return int(min(max(start_at - self._clock.now(), MIN_SELF_SERVICE_INTERVAL), interval))


def _is_current(client: Client, used: str) -> bool:
    """Return whether the credential is the client's current secret."""
    current = client.secrets.current
    return current is not None and used == name_of_secret(current.digest)
