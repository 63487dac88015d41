"""Clients in the database."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import Row, Select, Update, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.projecting import secret_context
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.store.direct import binds_of, run, run_one
from keyturn_credentials.store.failures import conflict
from keyturn_credentials.store.name_blocks import NameBlocks
from keyturn_credentials.store.tables import client_attributes, client_names, clients
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret

SEARCHABLE_CHARACTERS: Final = 255
"""Longer attribute values (certificates, JWK Sets) are kept, but not searched by."""

# Made once: a statement that is made anew for every call costs more than SQLite takes to run it.
_select: Final = select(clients)
_by_uuid: Final = _select.where(
    clients.c.uuid == bindparam("uuid"), clients.c.realm_id == bindparam("realm_id")
)
_by_uuid_for_change: Final = _by_uuid.with_for_update()
_by_client_id: Final = _select.where(
    clients.c.realm_id == bindparam("realm_id"), clients.c.client_id == bindparam("client_id")
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
_insert: Final = insert(clients).values(binds_of(clients))
_insert_name: Final = insert(client_names).values(binds_of(client_names, "realm_id", "client_id")).inline()
_insert_attribute: Final = insert(client_attributes).values(binds_of(client_attributes))
_delete_attribute: Final = delete(client_attributes).where(
    client_attributes.c.realm_id == bindparam("of_realm_id"),
    client_attributes.c.client_id == bindparam("of_client_id"),
    client_attributes.c.name == bindparam("of_name"),
)


@cache
def _update_of(columns: frozenset[str]) -> Update:
    """As many as there are kinds of changes; made once each, as the statements above."""
    values: dict[str, Any] = {name: bindparam(name) for name in sorted(columns)}
    return update(clients).where(clients.c.uuid == bindparam("of_uuid")).values(values)


class Clients:
    """The clients as one connection sees them. Secrets are sealed on the way in and opened on the way out."""

    def __init__(self, connection: AsyncConnection, encryption: KeyRing) -> None:
        self.name_blocks = NameBlocks(connection)
        self._connection = connection
        self._encryption = encryption
        # By UUID, as they were read.
        self._seal_keys: dict[str, str] = {}

    async def get(self, realm_id: str, uuid: str) -> Client | None:
        return await self._one(_by_uuid, uuid=uuid, realm_id=realm_id)

    async def get_for_change(self, realm_id: str, uuid: str) -> Client | None:
        """As ``get``; until the transaction ends nobody else changes this client."""
        return await self._one(_by_uuid_for_change, uuid=uuid, realm_id=realm_id)

    async def find(self, realm_id: str, client_id: str) -> Client | None:
        return await self._one(_by_client_id, realm_id=realm_id, client_id=client_id)

    async def insert(self, client: Client) -> None:
        """Raises ConflictError when the realm has a client of this id, or any realm one of this UUID."""
        with conflict(f"Client {client.client_id} already exists"):
            await run(self._connection, _insert, self.to_row(client))
        name = {"realm_id": client.realm_id, "client_id": client.client_id}
        await run(self._connection, _insert_name, name)
        self.name_blocks.added(client.realm_id, client.client_id)
        await self._insert_attributes(client, searchable(client.attributes))

    async def update(self, before: Client, after: Client) -> None:
        """Write what changed of a client that was read with ``get_for_change``."""
        old, new = _unsealed_row(before), _unsealed_row(after)
        changed = {name: value for name, value in new.items() if value != old[name]}
        if "secrets" in changed:
            changed["secrets"] = sealed = self._seal(after)
            # An index has these, so they are written only when they are others.
            if (keys := seal_keys_of(sealed)) != self._seal_keys.get(after.uuid):
                changed["seal_keys"] = keys
        with conflict(f"Client {after.client_id} already exists"):
            statement = _update_of(frozenset(changed))
            await run(self._connection, statement, {**changed, "of_uuid": before.uuid})
        # What hangs on a renamed client has followed it: the database cascades.
        if after.client_id != before.client_id:
            self.name_blocks.removed(before.realm_id, before.client_id)
            self.name_blocks.added(after.realm_id, after.client_id)
        await self._update_attributes(before, after)

    async def delete(self, client: Client) -> None:
        """Only one that was read with ``get_for_change``."""
        await self._connection.execute(delete(clients).where(clients.c.uuid == client.uuid))
        self.name_blocks.removed(client.realm_id, client.client_id)

    async def some_for_change(self, realm_id: str, client_ids: Collection[str]) -> list[Client]:
        """Those of these clients that are still there, in order of their ids, locked."""
        wanted = (
            _select.where(clients.c.realm_id == realm_id, clients.c.client_id.in_(client_ids))
            .order_by(clients.c.client_id)
            .with_for_update()
        )
        return [self.from_row(row) for row in await self._connection.execute(wanted)]

    async def next_seal_keys(self, realm_id: str, after: str) -> str | None:
        """The next of the different ``seal_keys`` in a realm, however many clients have them; None when there
        are no more."""
        row = await run_one(self._connection, _next_seal_keys, {"realm_id": realm_id, "after": after})
        return None if row is None else str(row.seal_keys)

    async def sealed_under(self, realm_id: str, seal_keys: str, after: str, most: int) -> list[str]:
        """Ids of clients with these ``seal_keys`` that come after the id ``after``, in order."""
        wanted = {"realm_id": realm_id, "seal_keys": seal_keys, "after": after, "most": most}
        return [row.client_id for row in await run(self._connection, _sealed_under, wanted)]

    async def reseal(self, client: Client) -> None:
        """Write a client's secrets under the current key."""
        sealed = self._seal(client)
        values = {"secrets": sealed, "seal_keys": seal_keys_of(sealed)}
        await self._connection.execute(update(clients).where(clients.c.uuid == client.uuid).values(values))

    async def _one(self, query: Select[Any], **values: str) -> Client | None:
        row = await run_one(self._connection, query, values)
        return None if row is None else self.from_row(row)

    async def _insert_attributes(self, client: Client, values: Mapping[str, str]) -> None:
        of_client = {"realm_id": client.realm_id, "client_id": client.client_id}
        for name, value in values.items():
            await run(self._connection, _insert_attribute, {**of_client, "name": name, "value": value})

    async def _update_attributes(self, before: Client, after: Client) -> None:
        old, new = searchable(before.attributes), searchable(after.attributes)
        of_client = {"of_realm_id": after.realm_id, "of_client_id": after.client_id}
        for name, value in old.items():
            if new.get(name) != value:
                await run(self._connection, _delete_attribute, {**of_client, "of_name": name})
        added = {name: value for name, value in new.items() if old.get(name) != value}
        await self._insert_attributes(after, added)

    def from_row(self, row: Row[Any]) -> Client:
        """A client of all columns of ``clients``. Raises SealError when a secret does not open."""
        self._seal_keys[row.uuid] = row.seal_keys
        return Client(
            uuid=row.uuid,
            realm_id=row.realm_id,
            client_id=row.client_id,
            enabled=row.enabled,
            authenticator=row.authenticator,
            attributes=row.attributes,
            document=row.document,
            secrets=self._open(row.uuid, row.secrets),
            revoked_keys=row.revoked_keys,
            keys_not_before=row.keys_not_before,
            version=row.version,
        )

    def to_row(self, client: Client) -> dict[str, Any]:
        sealed = self._seal(client)
        return _unsealed_row(client) | {"secrets": sealed, "seal_keys": seal_keys_of(sealed)}

    def _seal(self, client: Client) -> dict[str, dict[str, Any]]:
        known = {"current": client.secrets.current, "rotated": client.secrets.rotated}
        return {
            role: {
                "digest": stored.digest,
                "created_at": stored.created_at,
                "expires_at": stored.expires_at,
                "sealed": None
                if stored.secret is None
                else self._encryption.seal(stored.secret.reveal().encode(), secret_context(client.uuid)),
            }
            for role, stored in known.items()
            if stored is not None
        }

    def _open(self, uuid: str, kept: Mapping[str, Mapping[str, Any]]) -> ClientSecrets:
        return ClientSecrets(
            current=self._open_one(uuid, kept.get("current")),
            rotated=self._open_one(uuid, kept.get("rotated")),
        )

    def _open_one(self, uuid: str, kept: Mapping[str, Any] | None) -> StoredSecret | None:
        if kept is None:
            return None
        secret = None
        if kept["sealed"] is not None:
            secret = Secret(self._encryption.open(kept["sealed"], secret_context(uuid)).decode())
        return StoredSecret(kept["digest"], kept["created_at"], kept["expires_at"], secret)


def seal_keys_of(sealed: Mapping[str, Mapping[str, Any]]) -> str:
    """The ids of the keys that secrets are sealed and digested under, apart by spaces. A secret of which only
    a digest is kept counts for nothing: it stays as it is until it is regenerated."""
    kept = [stored for stored in sealed.values() if stored["sealed"] is not None]
    return seal_keys({KeyRing.key_id_of(stored[name]) for stored in kept for name in ("sealed", "digest")})


def seal_keys(key_ids: Collection[str]) -> str:
    """As the column ``seal_keys`` has them."""
    return " ".join(sorted(key_ids))


def _unsealed_row(client: Client) -> dict[str, Any]:
    """What can be compared: a secret that is sealed again looks different."""
    return {
        "uuid": client.uuid,
        "realm_id": client.realm_id,
        "client_id": client.client_id,
        "enabled": client.enabled,
        "authenticator": client.authenticator,
        "attributes": client.attributes,
        "document": client.document,
        "secrets": client.secrets,
        "revoked_keys": client.revoked_keys,
        "keys_not_before": client.keys_not_before,
        "version": client.version,
        "secret_expires_at": _end_of(client.secrets.current),
        "former_secret_ends_at": _end_of(client.secrets.rotated),
    }


def _end_of(stored: StoredSecret | None) -> float | None:
    return None if stored is None else stored.expires_at


def searchable(values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in values.items()
        if len(name) <= SEARCHABLE_CHARACTERS and len(value) <= SEARCHABLE_CHARACTERS
    }
