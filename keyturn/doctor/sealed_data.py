"""Ids of the keys under which the database's contents are sealed."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, select

from keyturn.doctor.database_judgement import SealedUnder
from keyturn.doctor.scene import Scene
from keyturn_credentials.store.clients import UNKNOWN_SEAL_KEYS
from keyturn_credentials.store.encryption_check import SEALED_KEYS
from keyturn_credentials.store.tables import clients, realms
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.sealing import KeyRing

_realms: Final = select(realms.c.id, realms.c.name)
_example: Final = (
    select(clients.c.secrets)
    .where(clients.c.realm_id == bindparam("realm_id"), clients.c.seal_keys == bindparam("seal_keys"))
    .limit(1)
)


async def keys_in_use(store: Store) -> SealedUnder:
    """Return the keys that the database's contents need. Its cost depends on the number of realms, not of
    clients: of all clients under the same keys, one is read."""
    encryption: defaultdict[str, set[str]] = defaultdict(set)
    digests: defaultdict[str, set[str]] = defaultdict(set)
    certain = True
    database = store.database
    async with database.reading() as connection:
        sealed_keys = (await connection.execute(SEALED_KEYS)).all()
        all_realms = (await connection.execute(_realms)).all()
    for row in sealed_keys:
        encryption[KeyRing.key_id_of(row.sealed_private_jwk)].add(row.name)
    for realm in all_realms:
        async for seal_keys in _seal_keys_of(store, realm.id):
            certain = certain and seal_keys != UNKNOWN_SEAL_KEYS
            of_example = {"realm_id": realm.id, "seal_keys": seal_keys}
            for row in await database.find(_example, of_example):
                for sealed, digest in _ids_in(row.secrets):
                    encryption[sealed].add(realm.name)
                    digests[digest].add(realm.name)
    return SealedUnder(_frozen(encryption), _frozen(digests), certain)


async def fleet_key_ids(scene: Scene) -> Mapping[str, frozenset[str]]:
    """Return the ids of the keys with which this installation checks digests, by realm."""
    ring = scene.settings.fleet_ring()
    async with scene.database.reading() as connection:
        found = (await connection.execute(_realms)).all()
    return {realm.name: frozenset(ring.find(realm.id).key_ids) for realm in found}


async def _seal_keys_of(store: Store, realm_id: str) -> AsyncIterator[str]:
    after: str | None = ""
    while after is not None:
        async with store.find() as reading:
            after = await reading.clients.next_seal_keys(realm_id, after)
        if after is not None:
            yield after


def _ids_in(secrets: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Yield the ids of the keys that seal and digest each secret that is not stored as a digest only. What
    has no key's id was altered, and says nothing about keys."""
    for stored in secrets.values():
        if stored["sealed"] is not None and (sealed := KeyRing.key_id_of(str(stored["sealed"]))):
            yield sealed, KeyRing.key_id_of(stored["digest"])


def _frozen(found: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(names) for key, names in found.items()}
