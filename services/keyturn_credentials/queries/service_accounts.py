"""Service accounts of a realm, by id, by name and by role."""

from collections.abc import AsyncIterator
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.given_roles import given_roles
from keyturn_credentials.domain.guards import require_realm
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey, role_id, roles_of_realm
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.unit_of_work import Reading, Store
from keyturn_shared.projection import SERVICE_ACCOUNT_PREFIX, service_account_name

_BATCH: Final = 500


class ServiceAccountQueries:
    """All raise NotFoundError and StoreUnavailableError. A client that may not request tokens has no service
    account."""

    def __init__(self, store: Store, queries: Queries) -> None:
        self._store = store
        self._queries = queries

    async def find(self, realm_name: str, account_id: str) -> tuple[Realm, Client]:
        """Return a realm, and the client for which the service account stands."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            for uuid in await reading.clients.role_mappings.uuids_of_account(realm.id, account_id):
                client = await reading.clients.get(realm.id, uuid)
                if client is not None and _is_account(client, account_id):
                    return realm, client
            async for client in _written_by_earlier_builds(reading, realm):
                if _is_account(client, account_id):
                    return realm, client
        raise NotFoundError("User not found")

    async def holders(self, realm: Realm, key: RoleKey, *, first: int, most: int) -> list[Client]:
        """Return clients whose service accounts were given a role, in order, without the ``first`` ones."""
        chosen = role_id(realm, key, roles_of_realm(realm)[key])
        found: list[Client] = []
        after = ""
        async with self._store.read() as reading:
            while len(found) < first + most:
                ids = await reading.clients.role_mappings.holders(realm.id, chosen, after=after, most=_BATCH)
                some = await reading.clients.some(realm.id, ids)
                found += [
                    client
                    for client in some
                    if client.service_accounts_enabled and key in given_roles(realm, client.service_account)
                ]
                if len(ids) < _BATCH:
                    break
                after = ids[-1]
        return found[first : first + most]

    async def named(
        self, realm_name: str, username: str, *, is_exact: bool, first: int, most: int
    ) -> tuple[Realm, list[Client]]:
        """Return clients whose service accounts have this name, or a name with this part, in any case."""
        realm = await self._queries.realm(realm_name)
        wanted = username.lower()
        if is_exact and (client := await self._exactly(realm, wanted)) is not None:
            return realm, [client][first : first + most]
        found: list[Client] = []
        async for client in self._queries.all_clients(realm, _criteria(wanted)):
            name = service_account_name(client.client_id)
            is_wanted = name == wanted if is_exact else wanted in name
            if is_wanted and client.service_accounts_enabled:
                found.append(client)
            if len(found) >= first + most:
                break
        return realm, found[first : first + most]

    async def _exactly(self, realm: Realm, username: str) -> Client | None:
        """Find a client whose id is in lower case, as most are, by one look."""
        async with self._store.find() as reading:
            client = await reading.clients.find(realm.id, username.removeprefix(SERVICE_ACCOUNT_PREFIX))
        if client is None or not client.service_accounts_enabled:
            return None
        return client if service_account_name(client.client_id) == username else None


def _criteria(username: str) -> Criteria:
    """Return criteria that every client with such a part in the name of its service account meets: what
    follows the longest end of the prefix that the part begins with is in the client's id."""
    if username in SERVICE_ACCOUNT_PREFIX:
        return Criteria()
    lengths = range(min(len(SERVICE_ACCOUNT_PREFIX), len(username)), -1, -1)
    overlap = next(length for length in lengths if SERVICE_ACCOUNT_PREFIX.endswith(username[:length]))
    return Criteria(client_id=username[overlap:] or None, is_part=True)


async def _written_by_earlier_builds(reading: Reading, realm: Realm) -> AsyncIterator[Client]:
    after = ""
    while ids := await reading.clients.role_mappings.unlisted(realm.id, after=after, most=_BATCH):
        for client in await reading.clients.some(realm.id, ids):
            yield client
        after = ids[-1]


def _is_account(client: Client, account_id: str) -> bool:
    return client.service_account_id == account_id and client.service_accounts_enabled
