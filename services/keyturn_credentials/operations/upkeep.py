"""What is due without anybody asking: realm keys that move on, values sealed under former keys, and what a
build before this one left to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Final

from keyturn_credentials.domain import realm_keys
from keyturn_credentials.domain.projecting import Projector, secret_context, signing_key_context
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret, without_plain
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.recording import record_realm
from keyturn_credentials.store.clients import seal_keys
from keyturn_credentials.store.transaction import SYSTEM, Store, Transaction
from keyturn_shared.clock import Clock
from keyturn_shared.events import RealmUpdated
from keyturn_shared.projection import client_field, realm_field
from keyturn_shared.sealing import KeyRing

_BATCH: Final = 200
_LOOKS: Final = 2
"""Times that nothing was found to forget before a realm is left alone: a change may have been under way."""


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
                rotated += await self._realms.settle_keys(SYSTEM, realm.name) is not None
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
            async for client_ids in self._sealed_under_other_keys(realm.id, self._current_seal_keys):
                renewed += await self._renew_clients(realm.name, client_ids)
        return renewed

    @property
    def _current_seal_keys(self) -> str:
        return seal_keys({self._encryption.current_key_id, self._fleet.current_key_id})

    async def _sealed_under_other_keys(self, realm_id: str, but: str = "") -> AsyncIterator[list[str]]:
        """Ids of the clients that have sealed secrets, in batches, without those sealed under the keys
        ``but``: however many these are, they are not looked at."""
        keys: str | None = ""
        while keys is not None:
            after = ""
            while keys not in ("", but) and (batch := await self._sealed_under(realm_id, keys, after)):
                yield batch
                after = batch[-1]
            async with self._store.find() as reading:
                keys = await reading.clients.next_seal_keys(realm_id, keys)

    async def _sealed_under(self, realm_id: str, keys: str, after: str) -> list[str]:
        async with self._store.find() as reading:
            return await reading.clients.sealed_under(realm_id, keys, after, _BATCH)

    async def settle_names(self) -> int:
        """Make the blocks by which clients' ids are found anew where they are not exact; how many that were.
        A build before them may have run beside this one, and created and renamed clients.

        After each block this rests as long as that took: there may be a thousand of them.
        """
        async with self._store.read() as reading:
            realms = await reading.realms.all()
        settled = 0
        for realm in realms:
            first: str | None = ""
            while first is not None:
                begun = self._clock.elapsed()
                async with self._store.read() as reading:
                    following = await reading.clients.name_blocks.next(realm.id, first)
                    is_exact = await reading.clients.name_blocks.is_exact(realm.id, first)
                if not is_exact:
                    settled += 1
                    async with self._store.change(SYSTEM) as transaction:
                        await transaction.take_turn()
                        await transaction.clients.name_blocks.make_anew(realm.id, first)
                first = following
                await self._sleep(self._clock.elapsed() - begun)
        return settled

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
            async for client_ids in self._sealed_under_other_keys(realm.id):
                found += await self._forget_clients(realm.name, client_ids)
            looks = looks + 1 if version == realm.version and not found else 0
            self._forgotten[realm.id] = (realm.version, looks)
            forgotten += found
        return forgotten

    async def _forget_clients(self, realm_name: str, client_ids: list[str]) -> int:
        async with self._store.change(SYSTEM) as transaction:
            realm = await transaction.realms.get(realm_name)
            if realm is None or not realm.keeps_digests_only:
                return 0
            count = 0
            for client in await transaction.clients.some_for_change(realm.id, client_ids):
                forgetting = without_plain(client.secrets)
                if client.authenticator != "client-secret-jwt" and forgetting != client.secrets:
                    count += 1
                    await transaction.clients.reseal(replace(client, secrets=forgetting))
        return count

    async def _renew_realm(self, name: str) -> int:
        async with self._store.change(SYSTEM) as transaction:
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

    async def _renew_clients(self, name: str, client_ids: list[str]) -> int:
        async with self._store.change(SYSTEM) as transaction:
            realm = await transaction.realms.get(name)
            if realm is None:
                return 0
            changed = {}
            batch = await transaction.clients.some_for_change(realm.id, client_ids)
            for client in batch:
                secrets = self._renew_digests(client.uuid, client.secrets)
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
        return len(batch)

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
