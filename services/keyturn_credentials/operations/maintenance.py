"""Background maintenance: rotation of realm keys, re-encryption under current keys, upgrades of stored
data."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Final

from keyturn_credentials.domain import realm_keys
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.projection_builder import Projector, signing_key_context
from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret, without_plain
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.recording import record_projections, record_realm
from keyturn_credentials.store.clients import UNKNOWN_SEAL_KEYS
from keyturn_credentials.store.sealed_secrets import seal_keys
from keyturn_credentials.store.unit_of_work import SYSTEM, Store, UnitOfWork
from keyturn_shared.clock import Clock
from keyturn_shared.events import RealmUpdated
from keyturn_shared.projection import (
    ClientProjection,
    client_field,
    decode_client,
    decode_realm,
    projection_value,
    realm_field,
    secret_context,
)
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing

_BATCH: Final = 200
_PASSES: Final = 2
"""Passes that find nothing to delete before a realm is skipped: a change may have been in progress."""


class Maintenance:
    """Maintenance steps. Several instances may run each at once, at any time, and repeatedly."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        projector: Projector,
        realms: RealmOperations,
        *,
        encryption: KeyRing,
        fleet: FleetRing,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._projector = projector
        self._realms = realms
        self._encryption = encryption
        self._fleet = fleet
        self._sleep = sleep
        # Realm id to its version, and how often nothing was found to delete there.
        self._forgotten: dict[str, tuple[int, int]] = {}

    async def rotate_due_keys(self) -> int:
        """Rotate the signing keys that are due. Return the number of realms changed."""
        async with self._store.read() as reading:
            known = [(realm, await reading.realms.keys(realm.id)) for realm in await reading.realms.all()]
        rotated = 0
        for realm, keys in known:
            if realm_keys.settle_all(realm, keys, _pretend_for, self._clock.now()) != keys:
                rotated += await self._realms.rotate_due_keys(SYSTEM, realm.name) is not None
        return rotated

    async def separate_administrators(self) -> int:
        """Give realms of an earlier build separate keys for administrators, and replace their projections.
        Return the number of realms changed.

        It runs before the service answers, so that no node is asked for an administrator's token that this
        service would refuse.
        """
        async with self._store.read() as reading:
            names = await reading.realms.without_admin_keys()
            found = [realm for name in names if (realm := await reading.realms.get(name)) is not None]
        for realm in found:
            await self._realms.rotate_due_keys(SYSTEM, realm.name)
            while batch := await self._sealed_under(realm.id, UNKNOWN_SEAL_KEYS, ""):
                await self._renew_clients(realm.name, batch)
        return len(found)

    async def renew_seals(self) -> int:
        """Re-encrypt values under a former key of either ring. Return the number of realms and clients
        changed.

        Once it has run on every instance with the new key first, the former key can be removed from the ring.
        If only a digest is stored, a secret stays under its key until it is regenerated.
        """
        async with self._store.read() as reading:
            realms = await reading.realms.all()
        renewed = 0
        for realm in realms:
            renewed += await self._renew_realm(realm.name)
            current = self._current_seal_keys(realm.id)
            async for client_ids in self._sealed_under_other_keys(realm.id, current):
                renewed += await self._renew_clients(realm.name, client_ids)
        return renewed

    async def count_digests_of_fleet_keys(self) -> int:
        """Count clients whose secrets nodes limited to some realms cannot check: only digests are stored,
        made before ``renew_seals`` changed to keys of each realm. It is 0 until that has happened."""
        if not self._fleet.by_realm:
            return 0
        async with self._store.read() as reading:
            realms = await reading.realms.all()
            return sum([await reading.clients.count_digests_of_fleet_keys(realm.id) for realm in realms])

    def _current_seal_keys(self, realm_id: str) -> str:
        return seal_keys({self._encryption.current_key_id, self._fleet.find(realm_id).current_key_id})

    async def _sealed_under_other_keys(self, realm_id: str, but: str = "") -> AsyncIterator[list[str]]:
        """Yield ids of the clients with encrypted secrets, in batches. Those under the keys ``but`` are
        skipped at no cost, however many there are."""
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

    async def repair_page_index(self) -> int:
        """Rebuild inexact blocks of the page index. Return the number of blocks rebuilt.

        An earlier build may have run next to this one, and created and renamed clients. After each block it
        pauses for as long as that took: there may be a thousand of them.
        """
        async with self._store.read() as reading:
            realms = await reading.realms.all()
        settled = 0
        for realm in realms:
            first: str | None = ""
            while first is not None:
                begun = self._clock.elapsed()
                async with self._store.read() as reading:
                    following = await reading.clients.page_index.next_block(realm.id, first)
                    is_exact = await reading.clients.page_index.is_exact(realm.id, first)
                if not is_exact:
                    settled += 1
                    async with self._store.change(SYSTEM) as transaction:
                        await transaction.lock_event_log()
                        await transaction.clients.page_index.rebuild(realm.id, first)
                first = following
                await self._sleep(self._clock.elapsed() - begun)
        return settled

    async def forget_secrets(self) -> int:
        """Delete stored secrets in realms that have changed to digests only. Return the number of clients
        changed. Secrets that sign are kept: assertions are verified with them."""
        async with self._store.read() as reading:
            realms = [realm for realm in await reading.realms.all() if realm.keeps_digests_only]
        forgotten = 0
        for realm in realms:
            version, passes = self._forgotten.get(realm.id, (0, 0))
            if version == realm.version and passes >= _PASSES:
                continue
            found = 0
            async for client_ids in self._sealed_under_other_keys(realm.id):
                found += await self._forget_clients(realm.name, client_ids)
            passes = passes + 1 if version == realm.version and not found else 0
            self._forgotten[realm.id] = (realm.version, passes)
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
                if not client.signs_with_secret and forgetting != client.secrets:
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
                secrets = self._renew_digests(client)
                renewed = replace(client, secrets=secrets)
                await transaction.clients.reseal(renewed)
                field = client_field(realm.id, client.client_id)
                projected = self._projector.project_client(realm, renewed)
                # An earlier build may have projected an administrator's secrets.
                is_published = not projected.administers or projected == await _published(transaction, field)
                if secrets != client.secrets or not is_published:
                    changed[field] = projected
            if changed:
                await record_projections(transaction, realm, changed, reason="what nodes store about secrets")
        return sum(client.secrets.is_readable for client in batch)

    async def _is_sealed_for_fleet(self, transaction: UnitOfWork, realm: Realm) -> bool:
        body = await transaction.projection(realm_field(realm.name))
        if body is None:
            return False
        _, projected = decode_realm(projection_value(0, body))
        sealed = (key.sealed_private_jwk for key in projected.signing_keys)
        if projected.fetcher_keys != self._projector.fetcher_keys:
            return False
        ring = self._fleet.find(realm.id)
        return all(ring.is_current(each) for each in sealed if each is not None)

    def _renew_key(self, key: RealmKey) -> RealmKey:
        sealed = key.sealed_private_jwk
        if sealed is None or self._encryption.is_current(sealed):
            return key
        context = signing_key_context(key.kid)
        return replace(
            key, sealed_private_jwk=self._encryption.seal(self._encryption.open(sealed, context), context)
        )

    def _renew_digests(self, client: Client) -> ClientSecrets:
        ring = self._fleet.find(client.realm_id)

        def renew(stored: StoredSecret | None) -> StoredSecret | None:
            if stored is None or stored.secret is None or ring.is_current(stored.digest):
                return stored
            digest = ring.digest(stored.secret.reveal(), secret_context(client.uuid))
            return replace(stored, digest=digest)

        return ClientSecrets(renew(client.secrets.current), renew(client.secrets.rotated))


async def _published(transaction: UnitOfWork, field: str) -> ClientProjection | None:
    """Return the client's current projection for nodes."""
    body = await transaction.projection(field)
    return None if body is None else decode_client(projection_value(0, body))[1]


def _pretend_for(purpose: KeyPurpose) -> realm_keys.MakeKey:
    """Return a maker of placeholder keys, used for comparison only."""

    def pretend(alg: str, state: KeyState) -> RealmKey:
        return RealmKey("", "", alg, state, {}, "", None, 0.0, 0.0, purpose)

    return pretend
