"""Creating, changing and deleting realms; their signing keys."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from keyturn_credentials.domain import realm_keys
from keyturn_credentials.domain.projecting import Projector, signing_key_context
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey, check_realm
from keyturn_credentials.domain.representation import change_realm, realm_from
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.errors import ForbiddenError, InvalidRequestError
from keyturn_credentials.keystores import (
    KeyPairKind,
    certificate_body,
    generate_key_pair,
    self_signed_certificate,
)
from keyturn_credentials.operations.recording import Done, record_realm, require_realm, require_version
from keyturn_credentials.store.transaction import Actor, Store, Transaction
from keyturn_shared.events import (
    RealmCreated,
    RealmDeleted,
    RealmKeysCacheCleared,
    RealmKeysRotated,
    RealmUpdated,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing

_KIND_BY_ALG: Final = {
    "ES256": KeyPairKind.P_256,
    "ES384": KeyPairKind.P_384,
    "ES512": KeyPairKind.P_521,
    "EdDSA": KeyPairKind.ED25519,
    "Ed25519": KeyPairKind.ED25519,
}
_CERTIFICATE_YEARS: Final = 10


class RealmOperations:
    """Raises as ``ClientOperations``."""

    def __init__(self, store: Store, projector: Projector, encryption: KeyRing) -> None:
        self._store = store
        self._projector = projector
        self._encryption = encryption

    async def create(self, actor: Actor, representation: Mapping[str, Any]) -> Done[Realm]:
        async with self._store.change(actor) as transaction:
            realm, sequence = await self.create_in(transaction, representation)
        return Done(sequence, realm)

    async def create_in(
        self, transaction: Transaction, representation: Mapping[str, Any]
    ) -> tuple[Realm, int]:
        """Create a realm in a transaction that does more."""
        realm = check_realm(realm_from(representation, realm_id=str(uuid.uuid4())))
        realm_keys.rotation_period(realm)
        if await transaction.knows_clients_of(realm.id) and not await transaction.realms.has(realm.id):
            # An export of a deleted realm. Verifiers know clients by the id, and would take those of the
            # former realm for this one's.
            realm = replace(realm, id=str(uuid.uuid4()))
        keys = realm_keys.first_keys(realm, self._maker(realm, transaction.now))
        await transaction.realms.insert(realm)
        await transaction.realms.replace_keys(realm.id, keys)
        return realm, await record_realm(transaction, self._projector, RealmCreated, after=realm, keys=keys)

    async def update(
        self,
        actor: Actor,
        name: str,
        representation: Mapping[str, Any],
        *,
        expected: frozenset[int] | None = None,
    ) -> Done[Realm]:
        async with self._store.change(actor) as transaction:
            before = require_realm(await transaction.realms.get_for_change(name))
            require_version(before.version, expected)
            after = check_realm(replace(change_realm(before, representation), version=before.version + 1))
            realm_keys.rotation_period(after)
            if not set(before.allowed_networks).issuperset(after.allowed_networks):
                _require_power_over_networks(actor)
            if before.name == MASTER and (after.name != MASTER or not after.enabled):
                raise InvalidRequestError(
                    "realm master cannot be renamed or disabled: its clients administer keyturn"
                )
            keys = await transaction.realms.keys(after.id)
            await transaction.realms.update(after)
            sequence = await record_realm(
                transaction, self._projector, RealmUpdated, before=before, after=after, keys=keys
            )
        return Done(sequence, after)

    async def delete(self, actor: Actor, name: str, *, expected: frozenset[int] | None = None) -> Done[Realm]:
        """The realm with its keys and clients. Its clients' projections go with the realm's: a realm made
        again under the name has another id."""
        async with self._store.change(actor) as transaction:
            realm = require_realm(await transaction.realms.get_for_change(name))
            require_version(realm.version, expected)
            if realm.name == MASTER:
                raise InvalidRequestError("realm master cannot be deleted: its clients administer keyturn")
            await transaction.realms.delete(realm.id)
            stamp = await transaction.stamp()
            await transaction.forget_clients_of(realm.id, stamp)
            sequence = await record_realm(
                transaction, self._projector, RealmDeleted, before=realm, stamp=stamp
            )
        return Done(sequence, realm)

    async def clear_keys_cache(
        self, actor: Actor, name: str, *, expected: frozenset[int] | None = None
    ) -> Done[Realm]:
        """Key sets whose fetch began before this event are not used for any client of the realm."""
        async with self._store.change(actor) as transaction:
            before = require_realm(await transaction.realms.get_for_change(name))
            require_version(before.version, expected)
            keys = await transaction.realms.keys(before.id)
            stamp = await transaction.stamp()
            after = replace(before, keys_not_before=stamp.sequence)
            await transaction.realms.update(after)
            sequence = await record_realm(
                transaction,
                self._projector,
                RealmKeysCacheCleared,
                before=before,
                after=after,
                keys=keys,
                stamp=stamp,
            )
        return Done(sequence, after)

    async def rotate_keys(
        self, actor: Actor, name: str, *, revoke: bool = False, expected: frozenset[int] | None = None
    ) -> Done[list[RealmKey]]:
        """The next key signs at once. The realm gets another version, so that a call which names the one it
        has seen cannot rotate twice.

        ``revoke``: none of the present keys is left, and nothing they signed or will sign is taken any more.
        Whoever has one of them has the next one too, since every node has both.
        """
        async with self._store.change(actor) as transaction:
            before = require_realm(await transaction.realms.get_for_change(name))
            require_version(before.version, expected)
            realm = replace(before, version=before.version + 1)
            await transaction.realms.update(realm)
            keys = await transaction.realms.keys(realm.id)
            make = self._maker(realm, transaction.now)
            if revoke:
                moved = realm_keys.first_keys(realm, make)
                details = {"revoked": [key.kid for key in keys]}
            else:
                moved, details = realm_keys.rotate(realm, keys, make, transaction.now), {}
            sequence = await self._replace_keys(transaction, realm, moved, **details)
        return Done(sequence, moved)

    async def settle_keys(self, actor: Actor, name: str) -> Done[list[RealmKey]] | None:
        """What is due of rotation and retirement; None when nothing was."""
        async with self._store.change(actor) as transaction:
            realm = await transaction.realms.get_for_change(name)
            keys = [] if realm is None else await transaction.realms.keys(realm.id)
            if realm is None:
                return None
            moved = realm_keys.settle(realm, keys, self._maker(realm, transaction.now), transaction.now)
            if moved == keys:
                return None
            sequence = await self._replace_keys(transaction, realm, moved)
        return Done(sequence, moved)

    async def _replace_keys(
        self, transaction: Transaction, realm: Realm, keys: list[RealmKey], **details: list[str]
    ) -> int:
        await transaction.realms.replace_keys(realm.id, keys)
        active = next(key for key in keys if key.state is KeyState.ACTIVE)
        return await record_realm(
            transaction,
            self._projector,
            RealmKeysRotated,
            before=realm,
            after=realm,
            keys=keys,
            details={"active_kid": active.kid, **details},
            active_kid=active.kid,
        )

    def _maker(self, realm: Realm, now: float) -> realm_keys.MakeKey:
        def make(alg: str, state: KeyState) -> RealmKey:
            pair = generate_key_pair(_KIND_BY_ALG.get(alg, KeyPairKind.RSA_2048))
            certificate = self_signed_certificate(
                pair, realm.name, now=datetime.fromtimestamp(now, UTC), validity_years=_CERTIFICATE_YEARS
            )
            key = SigningKey(pair.reveal(), alg)
            return RealmKey(
                kid=key.kid,
                realm_id=realm.id,
                alg=alg,
                state=state,
                public_jwk=key.public_jwk,
                certificate=certificate_body(certificate),
                sealed_private_jwk=self._encryption.seal(
                    key.export_private_jwk(), signing_key_context(key.kid)
                ),
                created_at=now,
                state_since=now,
            )

        return make


def _require_power_over_networks(actor: Actor) -> None:
    """Raise ForbiddenError unless the caller is no tenant: the networks are those that keyturn is in."""
    if actor.principal.realm != MASTER:
        raise ForbiddenError("private networks are opened to a realm by clients of realm master only")
