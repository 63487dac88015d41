"""Realms and their signing keys in the database."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.store.direct import run_one
from keyturn_credentials.store.failures import conflict
from keyturn_credentials.store.tables import realm_keys, realms

_by_name: Final = select(realms).where(realms.c.name == bindparam("name"))
_by_name_for_change: Final = _by_name.with_for_update()


class Realms:
    """The realms as one connection sees them. Private keys stay sealed here."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, name: str) -> Realm | None:
        row = await run_one(self._connection, _by_name, {"name": name})
        return None if row is None else _realm(row)

    async def get_for_change(self, name: str) -> Realm | None:
        """As ``get``; until the transaction ends nobody else changes this realm or its keys."""
        row = await run_one(self._connection, _by_name_for_change, {"name": name})
        return None if row is None else _realm(row)

    async def has(self, realm_id: str) -> bool:
        """Whether there is a realm of this id, whatever its name."""
        found = await self._connection.execute(select(realms.c.id).where(realms.c.id == realm_id))
        return found.first() is not None

    async def all(self) -> list[Realm]:
        return [_realm(row) for row in await self._connection.execute(select(realms).order_by(realms.c.name))]

    async def insert(self, realm: Realm) -> None:
        """Raises ConflictError when there is one of this name or id."""
        with conflict(f"Realm {realm.name} already exists"):
            await self._connection.execute(insert(realms), _realm_row(realm))

    async def update(self, realm: Realm) -> None:
        with conflict(f"Realm {realm.name} already exists"):
            await self._connection.execute(
                update(realms).where(realms.c.id == realm.id).values(_realm_row(realm))
            )

    async def delete(self, realm_id: str) -> None:
        """With its keys and clients."""
        await self._connection.execute(delete(realms).where(realms.c.id == realm_id))

    async def keys(self, realm_id: str) -> list[RealmKey]:
        """The signing keys, oldest first."""
        query = select(realm_keys).where(realm_keys.c.realm_id == realm_id)
        rows = await self._connection.execute(query.order_by(realm_keys.c.created_at, realm_keys.c.kid))
        return [_key(row) for row in rows]

    async def replace_keys(self, realm_id: str, keys: Iterable[RealmKey]) -> None:
        """Only for a realm that was read with ``get_for_change``, or inserted just now."""
        await self._connection.execute(delete(realm_keys).where(realm_keys.c.realm_id == realm_id))
        rows = [_key_row(key) for key in keys]
        if rows:
            await self._connection.execute(insert(realm_keys), rows)


def _realm(row: Row[Any]) -> Realm:
    return Realm(
        id=row.id,
        name=row.name,
        enabled=row.enabled,
        attributes=row.attributes,
        document=row.document,
        version=row.version,
        keys_not_before=row.keys_not_before,
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
    }


def _key(row: Row[Any]) -> RealmKey:
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
