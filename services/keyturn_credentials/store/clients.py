"""Clients in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from sqlalchemy import Row, Select, Text, and_, bindparam, cast, delete, func, insert, select, update

from keyturn_credentials.domain.attributes import ADMIN_ROLES
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation_planning import own_key_rotation_at
from keyturn_credentials.domain.service_account import ServiceAccount
from keyturn_credentials.store.client_rows import unsealed_row
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.errors import conflict
from keyturn_credentials.store.page_index import PageIndex
from keyturn_credentials.store.role_mappings import RoleMappings
from keyturn_credentials.store.sealed_secrets import (
    open_secrets,
    seal_keys_of,
    seal_secrets,
)
from keyturn_credentials.store.tables import client_attributes, client_names, clients, realms
from keyturn_shared.sealing import KeyRing

SEARCHABLE_CHARACTERS: Final = 255
"""Longer attribute values (certificates, JWK Sets) are stored, but not searchable."""

UNKNOWN_SEAL_KEYS: Final = "?"
"""Marks rows that an earlier build wrote, or that must be checked again."""

# Compiled once: compiling a statement for every call costs more than SQLite takes to run it.
_select: Final = select(clients)
_by_uuid: Final = _select.where(
    clients.c.uuid == bindparam("uuid"), clients.c.realm_id == bindparam("realm_id")
)
_by_uuid_for_change: Final = _by_uuid.with_for_update()
_by_client_id: Final = _select.where(
    clients.c.realm_id == bindparam("realm_id"), clients.c.client_id == bindparam("client_id")
)
_OF_REALM: Final = {member.name: f"realm_{member.name}_" for member in fields(Realm)}
_with_realm_for_change: Final = (
    select(clients, *(realms.c[name].label(label) for name, label in _OF_REALM.items()))
    .join(realms, realms.c.id == clients.c.realm_id)
    .where(realms.c.name == bindparam("realm"), clients.c.uuid == bindparam("client"))
    .with_for_update(of=clients)
)
_next_seal_keys: Final = (
    select(clients.c.seal_keys)
    .where(clients.c.realm_id == bindparam("realm_id"), clients.c.seal_keys > bindparam("after"))
    .order_by(clients.c.seal_keys)
    .limit(1)
)
_sealed_under: Final = (
    select(clients.c.client_id)
    .where(
        clients.c.realm_id == bindparam("realm_id"),
        clients.c.seal_keys == bindparam("seal_keys"),
        clients.c.client_id > bindparam("after"),
    )
    .order_by(clients.c.client_id)
    .limit(bindparam("most"))
)
# Ids of a realm's own keys have more characters than the eight of fleet keys' ids.
_with_digests_of_fleet_keys: Final = (
    select(func.count())
    .select_from(clients)
    .where(
        clients.c.realm_id == bindparam("realm_id"),
        clients.c.seal_keys == "",
        cast(clients.c.secrets, Text).like('%"1.________.%'),
    )
)
_with_admin_roles: Final = _select.join(
    client_attributes,
    and_(
        client_attributes.c.realm_id == clients.c.realm_id,
        client_attributes.c.client_id == clients.c.client_id,
    ),
).where(clients.c.realm_id == bindparam("realm_id"), client_attributes.c.name == ADMIN_ROLES)
_AT_ONCE: Final = 2
_insert: Final = insert(clients)
_insert_name: Final = insert(client_names).inline()
_insert_attribute: Final = insert(client_attributes)
_update: Final = update(clients).where(clients.c.uuid == bindparam("of_uuid"))
"""Sets the given columns."""
_delete_attribute: Final = delete(client_attributes).where(
    client_attributes.c.realm_id == bindparam("of_realm_id"),
    client_attributes.c.client_id == bindparam("of_client_id"),
    client_attributes.c.name == bindparam("of_name"),
)


class Clients:
    """The clients as one connection sees them. Secrets are encrypted when written and decrypted when read."""

    def __init__(self, connection: Connection, encryption: KeyRing) -> None:
        self.page_index = PageIndex(connection)
        self.role_mappings = RoleMappings(connection)
        self._connection = connection
        self._encryption = encryption
        # By UUID, as they were read.
        self._seal_keys: dict[str, str] = {}
        self._account_ids: dict[str, str | None] = {}

    async def get(self, realm_id: str, uuid: str) -> Client | None:
        return await self._one(_by_uuid, uuid=uuid, realm_id=realm_id)

    async def get_for_change(self, realm_id: str, uuid: str) -> Client | None:
        """Get a client, and lock it until the transaction ends."""
        return await self._one(_by_uuid_for_change, uuid=uuid, realm_id=realm_id)

    async def get_with_realm_for_change(self, realm_name: str, uuid: str) -> tuple[Realm, Client] | None:
        """Get a realm and one of its clients with one statement, and lock the client until the transaction
        ends. None if either does not exist."""
        wanted = {"realm": realm_name, "client": uuid}
        row = (await self._connection.execute(_with_realm_for_change, wanted)).one_or_none()
        if row is None:
            return None
        realm = Realm(**{name: getattr(row, label) for name, label in _OF_REALM.items()})
        return realm, self.from_row(row)

    async def find(self, realm_id: str, client_id: str) -> Client | None:
        return await self._one(_by_client_id, realm_id=realm_id, client_id=client_id)

    async def insert(self, client: Client) -> None:
        """Insert a client. Raises ConflictError if the realm has a client with this id, or any realm one with
        this UUID."""
        with conflict(f"Client {client.client_id} already exists"):
            await self._connection.execute(_insert, self.to_row(client))
        name = {"realm_id": client.realm_id, "client_id": client.client_id}
        await self._connection.execute(_insert_name, name)
        self.page_index.added(client.realm_id, client.client_id)
        await self._insert_attributes(client, searchable(client.attributes))
        await self.role_mappings.insert([client])

    async def insert_all(self, added: Sequence[Client]) -> None:
        """Insert many clients at once. Raises the errors of ``insert``."""
        if len(added) < _AT_ONCE:
            for client in added:
                await self.insert(client)
            return
        with conflict(f"one of {len(added)} clients already exists"):
            await self._connection.execute(_insert, [self.to_row(client) for client in added])
        names = [{"realm_id": client.realm_id, "client_id": client.client_id} for client in added]
        await self._connection.execute(_insert_name, names)
        for client in added:
            self.page_index.added(client.realm_id, client.client_id)
        values = [
            {"realm_id": client.realm_id, "client_id": client.client_id, "name": name, "value": value}
            for client in added
            for name, value in searchable(client.attributes).items()
        ]
        if values:
            await self._connection.execute(_insert_attribute, values)
        await self.role_mappings.insert(added)

    async def update(self, before: Client, after: Client) -> None:
        """Write the changes to a client that was read with ``get_for_change``."""
        old, new = unsealed_row(before), unsealed_row(after)
        changed = {name: value for name, value in new.items() if value != old[name]}
        if "secrets" in changed:
            changed["secrets"] = sealed = seal_secrets(self._encryption, after)
            # These are indexed, so write them only if they changed.
            if (keys := seal_keys_of(sealed)) != self._seal_keys.get(after.uuid):
                changed["seal_keys"] = keys
        is_unlisted = self._account_ids.get(after.uuid) is None
        if is_unlisted or after.service_account_id != before.service_account_id:
            changed["service_account_id"] = after.service_account_id
        if changed:  # revoking a token again changes nothing, and an UPDATE needs a column
            with conflict(f"Client {after.client_id} already exists"):
                await self._connection.execute(_update, {**changed, "of_uuid": before.uuid})
        # Rows that refer to a renamed client follow it: the database cascades.
        if after.client_id != before.client_id:
            self.page_index.removed(before.realm_id, before.client_id)
            self.page_index.added(after.realm_id, after.client_id)
        await self._update_attributes(before, after)
        if is_unlisted or after.service_account.role_ids != before.service_account.role_ids:
            await self.role_mappings.replace(after)

    async def delete(self, client: Client) -> None:
        """Delete a client that was read with ``get_for_change``."""
        await self._connection.execute(delete(clients).where(clients.c.uuid == client.uuid))
        self.page_index.removed(client.realm_id, client.client_id)

    async def some_for_change(self, realm_id: str, client_ids: Collection[str]) -> list[Client]:
        """Lock and return those of these clients that still exist, in order of their ids."""
        wanted = (
            _select.where(clients.c.realm_id == realm_id, clients.c.client_id.in_(client_ids))
            .order_by(clients.c.client_id)
            .with_for_update()
        )
        return [self.from_row(row) for row in await self._connection.execute(wanted)]

    async def some(self, realm_id: str, client_ids: Collection[str]) -> list[Client]:
        """Return the clients that exist, in order of their ids."""
        wanted = _select.where(clients.c.realm_id == realm_id, clients.c.client_id.in_(client_ids))
        return [
            self.from_row(row) for row in await self._connection.execute(wanted.order_by(clients.c.client_id))
        ]

    async def by_uuid(self, realm_id: str, uuids: Collection[str]) -> dict[str, Client]:
        """Return those of a realm's clients that exist."""
        wanted = _select.where(clients.c.realm_id == realm_id, clients.c.uuid.in_(uuids))
        found = [self.from_row(row) for row in await self._connection.execute(wanted)]
        return {client.uuid: client for client in found}

    async def without_expiry(self, realm_id: str, after: str, most: int) -> list[str]:
        """Return ids of clients whose secret, if any, does not expire, after the id ``after``, in order."""
        wanted = (
            select(clients.c.client_id)
            .where(
                clients.c.realm_id == realm_id,
                clients.c.client_id > after,
                clients.c.secret_expires_at.is_(None),
            )
            .order_by(clients.c.client_id)
            .limit(most)
        )
        return list((await self._connection.execute(wanted)).scalars())

    async def administrators(self, realm_id: str) -> list[Client]:
        """Return the clients that have admin roles, of any kind."""
        found = await self._connection.execute(_with_admin_roles, {"realm_id": realm_id})
        return [self.from_row(row) for row in found]

    async def taken(self, uuids: Collection[str]) -> set[str]:
        """Return those of these UUIDs that a client of any realm has."""
        wanted = select(clients.c.uuid).where(clients.c.uuid.in_(uuids))
        return set((await self._connection.execute(wanted)).scalars())

    async def next_seal_keys(self, realm_id: str, after: str) -> str | None:
        """Return the next distinct ``seal_keys`` in a realm, at a cost independent of their clients; None
        after the last."""
        wanted = {"realm_id": realm_id, "after": after}
        row = (await self._connection.execute(_next_seal_keys, wanted)).one_or_none()
        return None if row is None else str(row.seal_keys)

    async def sealed_under(self, realm_id: str, seal_keys: str, after: str, most: int) -> list[str]:
        """Return ids of clients with these ``seal_keys`` after the id ``after``, in order."""
        wanted = {"realm_id": realm_id, "seal_keys": seal_keys, "after": after, "most": most}
        return list((await self._connection.execute(_sealed_under, wanted)).scalars())

    async def count_digests_of_fleet_keys(self, realm_id: str) -> int:
        """Count clients with stored digests only that were not made under the realm's own keys."""
        counted = await self._connection.execute(_with_digests_of_fleet_keys, {"realm_id": realm_id})
        return int(counted.scalar_one())

    async def reseal(self, client: Client) -> None:
        """Write a client's secrets under the current key."""
        sealed = seal_secrets(self._encryption, client)
        values = {"secrets": sealed, "seal_keys": seal_keys_of(sealed)}
        await self._connection.execute(update(clients).where(clients.c.uuid == client.uuid).values(values))

    async def note_key_age(self, client: Client, since: float) -> None:
        """Set since when a client has its keys. It is not a change: nodes do not use it."""
        changed = replace(client, keys_since=since)
        values = {"keys_since": since, "own_key_rotation_at": own_key_rotation_at(changed)}
        await self._connection.execute(update(clients).where(clients.c.uuid == client.uuid).values(values))

    async def _one(self, query: Select[Any], **values: str) -> Client | None:
        row = (await self._connection.execute(query, values)).one_or_none()
        return None if row is None else self.from_row(row)

    async def _insert_attributes(self, client: Client, values: Mapping[str, str]) -> None:
        of_client = {"realm_id": client.realm_id, "client_id": client.client_id}
        for name, value in values.items():
            await self._connection.execute(_insert_attribute, {**of_client, "name": name, "value": value})

    async def _update_attributes(self, before: Client, after: Client) -> None:
        old, new = searchable(before.attributes), searchable(after.attributes)
        of_client = {"of_realm_id": after.realm_id, "of_client_id": after.client_id}
        for name, value in old.items():
            if new.get(name) != value:
                await self._connection.execute(_delete_attribute, {**of_client, "of_name": name})
        added = {name: value for name, value in new.items() if old.get(name) != value}
        await self._insert_attributes(after, added)

    def from_row(self, row: Row[Any]) -> Client:
        """Build a client from all columns of ``clients``."""
        self._seal_keys[row.uuid] = row.seal_keys
        self._account_ids[row.uuid] = row.service_account_id
        return Client(
            uuid=row.uuid,
            realm_id=row.realm_id,
            client_id=row.client_id,
            enabled=row.enabled,
            authenticator=row.authenticator,
            attributes=row.attributes,
            document=row.document,
            secrets=open_secrets(self._encryption, row.uuid, row.secrets),
            revoked_keys=row.revoked_keys,
            keys_not_before=row.keys_not_before,
            version=row.version,
            token_generation=row.token_generation,
            revoked_tokens=row.revoked_tokens,
            service_account=ServiceAccount.from_stored(row.service_account),
            keys_since=row.keys_since,
        )

    def is_readable(self, row: Row[Any]) -> bool:
        """Return whether the secrets of a row can be decrypted."""
        return open_secrets(self._encryption, row.uuid, row.secrets).is_readable

    def to_row(self, client: Client) -> dict[str, Any]:
        sealed = seal_secrets(self._encryption, client)
        return unsealed_row(client) | {
            "secrets": sealed,
            "seal_keys": seal_keys_of(sealed),
            "service_account_id": client.service_account_id,
        }


def searchable(values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in values.items()
        if len(name) <= SEARCHABLE_CHARACTERS and len(value) <= SEARCHABLE_CHARACTERS
    }
