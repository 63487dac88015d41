"""Committed realms and clients, and their logs, for callers."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_client, require_realm
from keyturn_credentials.domain.notices import Notice
from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.store.audit_log import AuditCriteria, keys_set_at, read_audit
from keyturn_credentials.store.client_search import find_after, find_page
from keyturn_credentials.store.client_uuids import uuids_of
from keyturn_credentials.store.event_search import EventCriteria, read_events
from keyturn_credentials.store.id_search import Page, find_ids
from keyturn_credentials.store.planned_clients import find_expiring
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.unit_of_work import Store

_BATCH: Final = 500


class Queries:
    """All raise NotFoundError if the realm or client does not exist, and StoreUnavailableError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def realms(self) -> list[Realm]:
        async with self._store.read() as reading:
            return await reading.realms.all()

    async def realm(self, name: str) -> Realm:
        async with self._store.find() as reading:
            return require_realm(await reading.realms.get(name))

    async def realm_with_keys(self, name: str) -> tuple[Realm, list[RealmKey]]:
        """Return a realm with its signing keys."""
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(name))
            return realm, await reading.realms.keys(realm.id)

    async def client(self, realm_name: str, uuid: str) -> tuple[Realm, Client]:
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            return realm, require_client(await reading.clients.get(realm.id, uuid))

    async def uuids(self, realm: Realm, client_ids: Sequence[str]) -> dict[str, str]:
        """Return the UUIDs of those of these clients that exist, by client id."""
        if not client_ids:
            return {}
        async with self._store.read() as reading:
            return await uuids_of(reading.connection, realm.id, client_ids)

    async def client_with_key_time(self, realm_name: str, uuid: str) -> tuple[Realm, Client, float | None]:
        """Return a client with the time its keys were set (NumericDate seconds), if known."""
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            client = require_client(await reading.clients.get(realm.id, uuid))
            return realm, client, await keys_set_at(reading, client.uuid)

    async def page_of_clients(
        self, realm_name: str, criteria: Criteria, *, first: int, most: int
    ) -> tuple[Realm, list[Client]]:
        """Return clients in order of their ids, without the ``first`` ones."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            return realm, await find_page(reading, realm.id, criteria, first=first, most=most)

    async def count_clients(self, realm_name: str, criteria: Criteria, *, most: int) -> int:
        """Return how many clients there are, or ``most`` if there are more."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            return len(await find_ids(reading, realm.id, criteria, Page(0, most)))

    async def all_clients(
        self, realm: Realm, criteria: Criteria, *, most: int | None = None
    ) -> AsyncIterator[Client]:
        """Yield clients in order of their ids, read in batches: a realm may have a million."""
        after = ""
        while most is None or most > 0:
            size = _BATCH if most is None else min(_BATCH, most)
            batch = await self.clients_after(realm, criteria, after=after, most=size)
            for client in batch:
                yield client
            if len(batch) < size:
                return
            after = batch[-1].client_id
            most = None if most is None else most - len(batch)

    async def clients_after(self, realm: Realm, criteria: Criteria, *, after: str, most: int) -> list[Client]:
        """Return clients in order of their ids, those after this id."""
        async with self._store.read() as reading:
            return await find_after(reading, realm.id, criteria, after=after, most=most)

    async def clients_with_ending_secrets(self, realm_name: str, *, most: int) -> tuple[Realm, list[Client]]:
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            return realm, await find_expiring(reading, realm.id, most=most)

    async def notices(self, realm_name: str, *, before: int | None, most: int) -> list[Notice]:
        """Return open notices, newest first, of those before a number."""
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            return await reading.notices.newest(realm.id, before=before, most=most)

    async def events(self, realm_name: str, criteria: EventCriteria, *, most: int) -> list[dict[str, Any]]:
        """Return events, newest first."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            return await read_events(reading, realm.id, criteria, most=most)

    async def audit(
        self, realm: Realm, criteria: AuditCriteria, *, most: int, oldest_first: bool = False
    ) -> list[dict[str, Any]]:
        async with self._store.read() as reading:
            return await read_audit(reading, realm.id, criteria, most=most, oldest_first=oldest_first)
