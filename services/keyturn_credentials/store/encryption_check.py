"""Check at the start that this process has the keys under which the database was encrypted."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Select, Table, select, union_all

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.tables import admin_keys, realm_keys, realms
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing

_NAMED: Final = 3


def _sealed_in(table: Table) -> Select[tuple[str, str]]:
    return (
        select(realms.c.name, table.c.sealed_private_jwk)
        .join(realms, realms.c.id == table.c.realm_id)
        .where(table.c.sealed_private_jwk.is_not(None))
    )


SEALED_KEYS: Final = union_all(_sealed_in(realm_keys), _sealed_in(admin_keys))
"""Every encrypted private key, with the name of its realm."""


async def refuse_foreign_keys(database: Database, ring: KeyRing) -> None:
    """Raise ConfigurationError if a realm's private key was encrypted under a key that is not in the ring.

    Every realm has one for its administrators, ``master`` too. Without this check the service would start,
    and then fail every request that needs a secret. Raises StoreUnavailableError as well.
    """
    with map_driver_errors():
        async with database.reading() as connection:
            rows = (await connection.execute(SEALED_KEYS)).all()
    foreign = [(row.name, row.sealed_private_jwk) for row in rows if not ring.knows(row.sealed_private_jwk)]
    if foreign:
        raise ConfigurationError(_complaint(foreign))


def _complaint(foreign: Iterable[tuple[str, str]]) -> str:
    missing = sorted({KeyRing.key_id_of(sealed) or "what is no key's id" for _, sealed in foreign})
    names = sorted({name for name, _ in foreign})
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return (
        f"KEYTURN_ENCRYPTION_KEYS lacks the key that sealed this database: keys of {shown} were sealed under"
        f" {', '.join(missing)} (a key's id, not the key). Restore the former key; a key may be removed from"
        " the list once keyturn_seals_current is 1 on every instance"
    )
