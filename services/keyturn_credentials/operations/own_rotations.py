"""A client's own rotation: the client takes its new secret itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_client, require_realm
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Rotation, State
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.rotation_secrets import secret_to_take
from keyturn_credentials.errors import ForbiddenError, NotFoundError
from keyturn_credentials.operations.permissions import being_the_client
from keyturn_credentials.operations.rotations import RotationOperations
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import Clock
from keyturn_shared.secret import Secret

MIN_INTERVAL_SECONDS: Final = 60
MAX_INTERVAL_SECONDS: Final = 300
"""A rotation that a person begins is noticed by its client within this time."""
_WAITING_FOR_NODES_SECONDS: Final = 1
_TO_TAKE_SECONDS: Final = 5

HasApplied = Callable[[int], Awaitable[bool]]
"""Returns whether every node has applied an event, or cannot answer any more."""


@dataclass(frozen=True, slots=True)
class OwnRotation:
    """``rotation``: the open one, None without one. ``secret``: the new one, for its client to take.
    ``interval``: seconds after which the client should ask again."""

    rotation: Rotation | None
    secret: Secret | None
    interval: int


class OwnRotationOperations:
    """Operations of the client named by the actor. They raise NotFoundError, ForbiddenError if its policy
    excludes them, ConflictError and StoreUnavailableError."""

    def __init__(
        self, store: Store, rotations: RotationOperations, clock: Clock, has_applied: HasApplied
    ) -> None:
        self._store = store
        self._rotations = rotations
        self._clock = clock
        self._has_applied = has_applied

    async def read(
        self, actor: Actor, realm_name: str, has_it: Callable[[Secret], bool] = lambda secret: False
    ) -> OwnRotation:
        """Return the client's rotation, and its new secret once every node accepts it, unless the caller has
        it. That it was shown is written into the audit log."""
        realm, client, rotation = await self._find(actor, realm_name)
        if rotation is None:
            return OwnRotation(None, None, self._interval_without(realm, client))
        secret = secret_to_take(client.secrets, rotation, digests_only=realm.keeps_digests_only)
        if secret is None or has_it(secret):
            return OwnRotation(rotation, None, MIN_INTERVAL_SECONDS)
        if rotation.sequence is not None and not await self._has_applied(rotation.sequence):
            return OwnRotation(rotation, None, _WAITING_FOR_NODES_SECONDS)
        async with self._store.change(actor) as transaction:
            await transaction.audit(
                "rotation_secret_shown",
                realm_id=realm.id,
                client_uuid=client.uuid,
                client_id=client.client_id,
                details={"rotation": rotation.id},
            )
        return OwnRotation(rotation, secret, _TO_TAKE_SECONDS)

    async def confirm(self, actor: Actor, realm_name: str, rotation_id: str) -> Rotation:
        """Note that an instance of the client has stored its new secret."""
        _, _, rotation = await self._find(actor, realm_name)
        if rotation is None or rotation.id != rotation_id:
            raise NotFoundError("the client has no such rotation under way")
        if rotation.state is not State.PREPARED or rotation.delivered:
            return rotation  # confirmed before: the response to that may have been lost
        moved = await self._rotations.confirm_delivery(actor, realm_name, rotation.id, being_the_client)
        return moved.rotation

    async def _find(self, actor: Actor, realm_name: str) -> tuple[Realm, Client, Rotation | None]:
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            client = require_client(await reading.clients.get(realm.id, actor.principal.client_uuid))
            found = await reading.rotations.open_of_client(client.uuid)
        if not RotationRules.from_attributes(client.attributes, realm.attributes).self_service:
            raise ForbiddenError("the policy does not let this client take its secret itself")
        return realm, client, found[0] if found else None

    def _interval_without(self, realm: Realm, client: Client) -> int:
        """Return the time until the policy begins a rotation, within bounds."""
        rules = RotationRules.from_attributes(client.attributes, realm.attributes)
        current = client.secrets.current
        if current is None or current.expires_at is None:
            return MAX_INTERVAL_SECONDS
        start_at = rules.start_at(client.uuid, current.expires_at)
        if start_at is None:
            return MAX_INTERVAL_SECONDS
        return int(min(max(start_at - self._clock.now(), MIN_INTERVAL_SECONDS), MAX_INTERVAL_SECONDS))
