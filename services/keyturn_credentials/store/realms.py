"""Realms and their signing keys in the database."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Row, Table, bindparam, delete, insert, select, update

from keyturn_credentials.domain.projection_builder import PROJECTION_REVISION
from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.errors import conflict
from keyturn_credentials.store.tables import admin_keys, realm_keys, realms

_by_name: Final = select(realms).where(realms.c.name == bindparam("name"))
# Not the key: clients can be created meanwhile, which refer to the realm.
_by_name_for_change: Final = _by_name.with_for_update(key_share=True)
_by_id: Final = select(realms).where(realms.c.id == bindparam("realm_id"))
_KEYS: Final[Mapping[KeyPurpose, Table]] = {
    KeyPurpose.CLIENTS: realm_keys,
    KeyPurpose.ADMINISTRATORS: admin_keys,
}


class Realms:
    """The realms as one connection sees them. Private keys stay encrypted here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, name: str) -> Realm | None:
        row = (await self._connection.execute(_by_name, {"name": name})).one_or_none()
        return None if row is None else _realm(row)

    async def get_for_change(self, name: str) -> Realm | None:
        """Get a realm, and lock it and its keys until the transaction ends."""
        row = (await self._connection.execute(_by_name_for_change, {"name": name})).one_or_none()
        return None if row is None else _realm(row)

    async def get_by_id(self, realm_id: str) -> Realm | None:
        row = (await self._connection.execute(_by_id, {"realm_id": realm_id})).one_or_none()
        return None if row is None else _realm(row)

    async def has(self, realm_id: str) -> bool:
        """Return whether there is a realm with this id, whatever its name."""
        found = await self._connection.execute(select(realms.c.id).where(realms.c.id == realm_id))
        return found.first() is not None

    async def all(self) -> list[Realm]:
        return [_realm(row) for row in await self._connection.execute(select(realms).order_by(realms.c.name))]

    async def names(self) -> list[str]:
        rows = await self._connection.execute(select(realms.c.name).order_by(realms.c.name))
        return list(rows.scalars())

    async def insert(self, realm: Realm) -> None:
        """Insert a realm. Raises ConflictError if its name or id exists."""
        with conflict(f"Realm {realm.name} already exists"):
            row = _realm_row(realm) | {"projection_revision": PROJECTION_REVISION}
            await self._connection.execute(insert(realms), row)

    async def update(self, realm: Realm) -> None:
        with conflict(f"Realm {realm.name} already exists"):
            await self._connection.execute(
                update(realms).where(realms.c.id == realm.id).values(_realm_row(realm))
            )

    async def delete(self, realm_id: str) -> None:
        """Delete a realm with its keys and clients."""
        await self._connection.execute(delete(realms).where(realms.c.id == realm_id))

    async def keys(self, realm_id: str) -> list[RealmKey]:
        """Return the signing keys, those for clients first, for each purpose the oldest first."""
        found: list[RealmKey] = []
        for purpose, table in _KEYS.items():
            query = (
                select(table).where(table.c.realm_id == realm_id).order_by(table.c.created_at, table.c.kid)
            )
            found += [_key(row, purpose) for row in await self._connection.execute(query)]
        return found

    async def replace_keys(self, realm_id: str, keys: Iterable[RealmKey]) -> None:
        """Replace the keys of a realm that was read with ``get_for_change``, or just inserted."""
        given = list(keys)
        for purpose, table in _KEYS.items():
            await self._connection.execute(delete(table).where(table.c.realm_id == realm_id))
            rows = [_key_row(key) for key in given if key.purpose is purpose]
            if rows:
                await self._connection.execute(insert(table), rows)

    async def without_admin_keys(self) -> list[str]:
        """Return the names of realms from a build without such keys."""
        has_some = select(admin_keys.c.kid).where(admin_keys.c.realm_id == realms.c.id).exists()
        found = await self._connection.execute(select(realms.c.name).where(~has_some).order_by(realms.c.name))
        return [row.name for row in found]

    async def told_by_other_builds(self) -> list[str]:
        """Return the names of realms projected by a build with another revision."""
        is_other = realms.c.projection_revision != PROJECTION_REVISION
        found = await self._connection.execute(select(realms.c.name).where(is_other).order_by(realms.c.name))
        return list(found.scalars())

    async def note_told(self, realm_id: str) -> None:
        """Note that the projections of a realm and all its clients are this build's."""
        statement = (
            update(realms).where(realms.c.id == realm_id).values(projection_revision=PROJECTION_REVISION)
        )
        await self._connection.execute(statement)


def _realm(row: Row[Any]) -> Realm:
    return Realm(
        id=row.id,
        name=row.name,
        enabled=row.enabled,
        attributes=row.attributes,
        document=row.document,
        version=row.version,
        keys_not_before=row.keys_not_before,
        token_generation=row.token_generation,
    )


def _realm_row(realm: Realm) -> dict[str, Any]:
    return {
        "id": realm.id,
        "name": realm.name,
        "enabled": realm.enabled,
        "attributes": realm.attributes,
        "document": realm.document,
        "version": realm.version,
        "keys_not_before": realm.keys_not_before,
        "token_generation": realm.token_generation,
    }


def _key(row: Row[Any], purpose: KeyPurpose) -> RealmKey:
    return RealmKey(
        kid=row.kid,
        realm_id=row.realm_id,
        alg=row.alg,
        state=KeyState(row.state),
        public_jwk=row.public_jwk,
        certificate=row.certificate,
        sealed_private_jwk=row.sealed_private_jwk,
        created_at=row.created_at,
        state_since=row.state_since,
        purpose=purpose,
    )


def _key_row(key: RealmKey) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "realm_id": key.realm_id,
        "alg": key.alg,
        "state": key.state.value,
        "public_jwk": key.public_jwk,
        "certificate": key.certificate,
        "sealed_private_jwk": key.sealed_private_jwk,
        "created_at": key.created_at,
        "state_since": key.state_since,
    }
