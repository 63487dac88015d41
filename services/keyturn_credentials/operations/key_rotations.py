"""Rotations of keys begun by callers: by an administrator, or by the client that registers its next key."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_version
from keyturn_credentials.domain.key_rotation_steps import keys_in, prepare
from keyturn_credentials.domain.rotation import Kind, Reason, RotatedKeys, Rotation, State
from keyturn_credentials.domain.rotation_frame import Act, Step
from keyturn_credentials.errors import (
    ConflictError,
    InvalidRequestError,
    KeysPublishedError,
    RotationNotOverError,
)
from keyturn_credentials.operations.key_kind import rotated_keys_of
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, being_the_client
from keyturn_credentials.operations.registered_keys import key_named, read_next_key, with_next_key
from keyturn_credentials.operations.rotation_changes import RotationChanges
from keyturn_credentials.operations.rotation_runner import FetchedKeys
from keyturn_credentials.operations.rotation_scene import Changed, begin, lock_scene, open_of_kind
from keyturn_credentials.operations.rotations import Moved
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.operations.used_credentials import LastUsed, used_credentials
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.events import ClientKeysChanged
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.jose.jwk import VerificationKey

_AT_A_URL: Final = "the client publishes its keys at its JWKS URL, and its next one as well"


class KeyRotationOperations:
    """All raise NotFoundError, ForbiddenError, ConflictError, PreconditionFailedError, InvalidRequestError,
    LimitReachedError and StoreUnavailableError; then nothing was changed."""

    def __init__(
        self, store: Store, changes: RotationChanges, fetched: FetchedKeys, last_used: LastUsed
    ) -> None:
        self._store = store
        self._changes = changes
        self._fetched = fetched
        self._last_used = last_used

    async def start(self, target: ClientTarget, reason: Reason, jwk: object = None) -> Moved:
        """Rotate a client's key now. ``jwk``: the next public key, to register; without it, the client is
        asked for one. If the key is compromised, all keys that the client has had are revoked by the call."""
        url, fetched = await self._fetched_of(target)
        async with self._store.change(target.actor) as transaction:
            scene = await lock_scene(transaction, target.realm, target.client_uuid)
            client = scene.client
            require_version(client.version, target.expected)
            if not client.has_own_keys:
                raise InvalidRequestError("the client does not authenticate with keys of its own")
            if jwk is not None and client.jwks_url is not None:
                raise InvalidRequestError(_AT_A_URL)
            key = None if jwk is None else read_next_key(jwk, client)
            if client.jwks_url != url:
                fetched = None  # it is not from its URL
            keys = rotated_keys_of(client, fetched)
            rotation = await begin(transaction, scene, Kind.KEY, reason, keys=keys)
            if reason is Reason.COMPROMISED:
                step = _compromised(rotation, None if key is None else key.thumbprint, transaction.now)
            elif key is not None:
                step = Step(prepare(rotation, scene.rules, frozenset({key.thumbprint}), transaction.now))
            else:
                step = Step(rotation)
            ended = keys_in(rotation).former or () if reason is Reason.COMPROMISED else ()
            moved, sequence = await self._changes.write(
                transaction,
                target.actor.principal,
                CONFIGURE_CLIENTS,
                scene,
                step,
                and_then=None if key is None else partial(_registered, key, instead_of=ended),
            )
        return Moved(moved, sequence)

    async def register(self, target: ClientTarget, jwk: object, used: str) -> Moved:
        """Register the next public key of the client that asks, in its open rotation or a new one. ``used``:
        name of the credential with which it has authenticated. The key may be sent again; until it is in use,
        another one replaces it."""
        uses = await used_credentials(self._last_used, target.client_uuid)
        async with self._store.change(target.actor) as transaction:
            scene = await lock_scene(transaction, target.realm, target.client_uuid)
            client, now = scene.client, transaction.now
            if client.jwks_url is not None:
                raise KeysPublishedError(_AT_A_URL)
            rotation = await open_of_kind(transaction, client.uuid, Kind.KEY)
            successors = () if rotation is None else keys_in(rotation).successors
            if rotation is not None and key_named(jwk) in successors:
                return Moved(rotation, None)
            if rotation is not None and not _takes_another(rotation, {**uses, used: now}):
                raise RotationNotOverError("the last rotation is not over; register the next key after it")
            key = read_next_key(jwk, client)
            own = _of_instance(rotated_keys_of(client, None), used)
            rotation = rotation or await begin(transaction, scene, Kind.KEY, Reason.CLIENT, keys=own)
            if rotation.state is State.PLANNED:  # its keys may have been changed since
                rotation = replace(rotation, keys=own)
            prepared = prepare(rotation, scene.rules, frozenset({key.thumbprint}), now)
            moved, sequence = await self._changes.write(
                transaction,
                target.actor.principal,
                being_the_client,
                scene,
                Step(prepared),
                and_then=partial(_registered, key, instead_of=successors),
            )
        return Moved(moved, sequence)

    async def _fetched_of(self, target: ClientTarget) -> tuple[str | None, frozenset[str] | None]:
        """Return the client's URL, and what the fleet has fetched from there."""
        async with self._store.find() as reading:
            realm = await reading.realms.get(target.realm)
            client = None if realm is None else await reading.clients.get(realm.id, target.client_uuid)
        if realm is None or client is None:
            return None, None
        return client.jwks_url, await self._fetched(realm, client)


def _compromised(rotation: Rotation, successor: str | None, now: float) -> Step:
    """Return the step that revokes what the client has had. Registered keys need a successor, because the
    client would have none; what it publishes is its own matter."""
    keys = keys_in(rotation)
    if keys.former is None:
        raise ConflictError(
            "no node has fetched the client's key set lately: revoke the key by its thumbprint, or clear the"
            " cache if that is unknown"
        )
    if successor is None and not keys.published:
        raise InvalidRequestError("jwk, the client's next public key, is required; or revoke its key")
    retired = replace(rotation, keys=replace(keys, successors=() if successor is None else (successor,)))
    return Step(retired.moved(State.RETIRED, now), Act.REVOKE_FORMER)


def _takes_another(rotation: Rotation, uses: Mapping[str, float]) -> bool:
    """Return whether another successor may replace the one that a rotation has: the client has not used it,
    and may have lost it. ``uses``: names of credentials and their last use, noted by nodes a little later."""
    if rotation.state not in (State.PLANNED, State.PREPARED):
        return False
    began = int(rotation.created_at)
    return all(uses.get(name_of_key(each), -1) < began for each in keys_in(rotation).successors)


def _of_instance(keys: RotatedKeys, used: str) -> RotatedKeys:
    """Return the keys with the former one that the client has signed with alone: others in the set are of
    other instances, each of which rotates its own."""
    own = tuple(each for each in keys.former or () if name_of_key(each) == used)
    return replace(keys, former=own) if own else keys


def _registered(key: VerificationKey, client: Client, *, instead_of: tuple[str, ...]) -> Changed:
    """Register a key in the place of these ones. Return the change."""
    return with_next_key(client, key, instead_of=instead_of), partial(ClientKeysChanged, source="jwks")
