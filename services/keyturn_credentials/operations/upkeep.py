"""What is due without anybody asking: realm keys that move on, and values sealed under former keys."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from keyturn_credentials.domain import realm_keys
from keyturn_credentials.domain.projecting import Projector, secret_context, signing_key_context
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret, without_plain
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.recording import record_realm
from keyturn_credentials.store.transaction import Actor, Store, Transaction
from keyturn_shared.clock import Clock
from keyturn_shared.events import RealmUpdated
from keyturn_shared.projection import client_field, realm_field
from keyturn_shared.sealing import KeyRing

_BATCH: Final = 200
_LOOKS: Final = 2
"""Times that nothing was found to forget before a realm is left alone: a change may have been under way."""
_SYSTEM: Final = Actor(Principal.system())


class Upkeep:
    """Every step may be run by several instances at once, at any time, and again."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        projector: Projector,
        realms: RealmOperations,
        *,
        encryption: KeyRing,
        fleet: KeyRing,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._projector = projector
        self._realms = realms
        self._encryption = encryption
        self._fleet = fleet
        self._sleep = sleep
        # Realm id to its version, and how often nothing was found to forget there.
        self._forgotten: dict[str, tuple[int, int]] = {}

    async def rotate_due_keys(self) -> int:
        """Move the signing keys on where it is time; how many realms that were."""
        async with self._store.read() as reading:
            known = [(realm, await reading.realms.keys(realm.id)) for realm in await reading.realms.all()]
        rotated = 0
        for realm, keys in known:
            if realm_keys.settle(realm, keys, _pretend, self._clock.now()) != keys:
                rotated += await self._realms.settle_keys(_SYSTEM, realm.name) is not None
        return rotated

    async def renew_seals(self) -> int:
        """Seal anew what is sealed under a former key of either ring; how many realms and clients that were.

        When it has run on every instance that has the new key first, the former key can be taken out of the
        ring. Where only digests are kept, a secret stays under the fleet key it was made with until it is
        regenerated.
        """
        async with self._store.read() as reading:
            realms = await reading.realms.all()
        renewed = 0
        for realm in realms:
            renewed += await self._renew_realm(realm.name)
            after = await self._skip_renewed(realm.id, "")
            while after is not None:
                after, count = await self._renew_clients(realm.name, after)
                renewed += count
                if after is not None:
                    after = await self._skip_renewed(realm.id, after)
        return renewed

    async def _skip_renewed(self, realm_id: str, after: str) -> str | None:
        """The id after which the first client comes that has to be sealed anew; None when there is none.

        Nothing is locked or opened, and after each batch this rests as long as that took: mostly there is
        nothing to do, and a million clients are looked at while others change them.
        """
        while True:
            begun = self._clock.elapsed()
            async with self._store.read() as reading:
                batch = await reading.clients.sealed_after(realm_id, after, _BATCH)
            for client_id, kept in batch:
                if not all(self._is_renewed(stored) for stored in kept.values()):
                    return after
                after = client_id
            if len(batch) < _BATCH:
                return None
            await self._sleep(self._clock.elapsed() - begun)

    def _is_renewed(self, stored: Mapping[str, Any]) -> bool:
        sealed = stored["sealed"]
        return sealed is None or (
            self._encryption.is_current(sealed) and self._fleet.is_current(stored["digest"])
        )

    async def forget_secrets(self) -> int:
        """Forget the secrets of realms that keep digests only, which may have kept them before; how many
        clients' that were. Those for ``client-secret-jwt`` stay: assertions are verified with them."""
        async with self._store.read() as reading:
            realms = [realm for realm in await reading.realms.all() if realm.keeps_digests_only]
        forgotten = 0
        for realm in realms:
            version, looks = self._forgotten.get(realm.id, (0, 0))
            if version == realm.version and looks >= _LOOKS:
                continue
            found = 0
            after: str | None = ""
            while after is not None:
                after, count = await self._forget_clients(realm.name, after)
                found += count
            looks = looks + 1 if version == realm.version and not found else 0
            self._forgotten[realm.id] = (realm.version, looks)
            forgotten += found
        return forgotten

    async def _forget_clients(self, realm_name: str, after: str) -> tuple[str | None, int]:
        """As ``_renew_clients``."""
        async with self._store.change(_SYSTEM) as transaction:
            realm = await transaction.realms.get(realm_name)
            if realm is None or not realm.keeps_digests_only:
                return None, 0
            batch = await transaction.clients.batch_for_change(realm.id, after, _BATCH)
            count = 0
            for client, _ in batch:
                forgetting = without_plain(client.secrets)
                if client.authenticator != "client-secret-jwt" and forgetting != client.secrets:
                    count += 1
                    await transaction.clients.reseal(replace(client, secrets=forgetting))
        return (batch[-1][0].client_id if len(batch) == _BATCH else None), count

    async def _renew_realm(self, name: str) -> int:
        async with self._store.change(_SYSTEM) as transaction:
            realm = await transaction.realms.get_for_change(name)
            if realm is None:
                return 0
            keys = await transaction.realms.keys(realm.id)
            renewed = [self._renew_key(key) for key in keys]
            if renewed == keys and await self._is_sealed_for_fleet(transaction, realm):
                return 0
            await transaction.realms.replace_keys(realm.id, renewed)
            await record_realm(
                transaction,
                self._projector,
                RealmUpdated,
                before=realm,
                after=realm,
                keys=renewed,
                details={"reason": "sealed under the current keys"},
            )
        return 1

    async def _renew_clients(self, name: str, after: str) -> tuple[str | None, int]:
        """One batch; the id it ended with (None: there is no more), and how many were renewed."""
        async with self._store.change(_SYSTEM) as transaction:
            realm = await transaction.realms.get(name)
            if realm is None:
                return None, 0
            batch = await transaction.clients.batch_for_change(realm.id, after, _BATCH)
            changed = {}
            count = 0
            for client, is_sealed_anew in batch:
                secrets = self._renew_digests(client.uuid, client.secrets)
                if is_sealed_anew and secrets == client.secrets:
                    continue
                count += 1
                renewed = replace(client, secrets=secrets)
                await transaction.clients.reseal(renewed)
                if secrets != client.secrets:
                    changed[client_field(realm.id, client.client_id)] = self._projector.project_client(
                        renewed
                    )
            if changed:
                stamp = await transaction.stamp()
                event = RealmUpdated(
                    sequence=stamp.sequence,
                    id=stamp.id,
                    occurred_at=stamp.occurred_at,
                    touches=tuple(changed),
                    realm_id=realm.id,
                    realm=realm.name,
                )
                details = {"reason": "secrets digested under the current key", "clients": len(changed)}
                await transaction.append(event, changed, realm_id=realm.id, details=details)
        return (batch[-1][0].client_id if len(batch) == _BATCH else None), count

    async def _is_sealed_for_fleet(self, transaction: Transaction, realm: Realm) -> bool:
        body = await transaction.projection(realm_field(realm.name))
        return body is not None and f".{self._fleet.current_key_id}.".encode() in body

    def _renew_key(self, key: RealmKey) -> RealmKey:
        sealed = key.sealed_private_jwk
        if sealed is None or self._encryption.is_current(sealed):
            return key
        context = signing_key_context(key.kid)
        return replace(
            key, sealed_private_jwk=self._encryption.seal(self._encryption.open(sealed, context), context)
        )

    def _renew_digests(self, client_uuid: str, secrets: ClientSecrets) -> ClientSecrets:
        def renew(stored: StoredSecret | None) -> StoredSecret | None:
            if stored is None or stored.secret is None or self._fleet.is_current(stored.digest):
                return stored
            return replace(
                stored, digest=self._fleet.digest(stored.secret.reveal(), secret_context(client_uuid))
            )

        return ClientSecrets(renew(secrets.current), renew(secrets.rotated))


def _pretend(alg: str, state: KeyState) -> RealmKey:
    """A key that is only compared with."""
    return RealmKey("", "", alg, state, {}, "", None, 0.0, 0.0)
