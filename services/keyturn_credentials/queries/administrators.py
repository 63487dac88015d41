"""Lookup of the subject of an admin API token: a client with its realm and one of that realm's keys."""

from typing import Any, Final

from sqlalchemy import bindparam, select

from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.tables import admin_keys, clients, realms
from keyturn_credentials.store.unit_of_work import Store

_administrator: Final = (
    select(
        realms.c.enabled.label("realm_enabled"),
        realms.c.document.label("realm_document"),
        realms.c.attributes.label("realm_attributes"),
        realms.c.token_generation.label("realm_generation"),
        clients.c.uuid,
        clients.c.enabled,
        clients.c.attributes,
        clients.c.document,
        clients.c.token_generation,
        clients.c.revoked_tokens,
        admin_keys.c.state,
        admin_keys.c.public_jwk,
    )
    .join(clients, clients.c.realm_id == realms.c.id)
    .join(admin_keys, admin_keys.c.realm_id == realms.c.id)
    .where(
        realms.c.name == bindparam("realm"),
        clients.c.client_id == bindparam("client_id"),
        admin_keys.c.kid == bindparam("kid"),
    )
)


class AdministratorQueries:
    """Runs on each call of the admin API, so it is one statement and builds no domain values."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, realm: str, client_id: str, kid: str) -> Any:
        """Return the row, None if realm, client or key does not exist. Raises StoreUnavailableError."""
        wanted = {"realm": realm, "client_id": client_id, "kid": kid}
        if any("\0" in text for text in wanted.values()):
            return None
        with map_driver_errors():
            rows = await self._store.database.find(_administrator, wanted)
        return rows[0] if rows else None
