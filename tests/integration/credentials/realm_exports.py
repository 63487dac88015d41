"""Exports of a realm, and the database that they are imported into."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.wiring import Operations, build_operations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.realm_transfer import write_export
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import SystemClock

ACTOR = Actor(Principal.system())
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
OF_ITS_OWN = {
    "keyturn.secret.expiration-period": "86400",
    "keyturn.secret.rotated-expiration-period": "3600",
    "keyturn.strict-audience": "true",
    "keyturn.signing.algorithm": "ES384",
    "keyturn.jwks.allowed-networks": "10.0.0.0/8",
}
POLICY = {name: text for name, text in OF_ITS_OWN.items() if name.startswith("keyturn.secret.")}
SETTINGS: dict[str, Any] = {
    "enabled": False,
    "accessTokenLifespan": 120,
    "displayName": "Acme",
    "sslRequired": "all",
}


def client(client_id: str = "orders", **members: Any) -> dict[str, Any]:
    return {"clientId": client_id, "secret": f"the secret of {client_id}", **members}


def document(*clients: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"realm": "acme", "attributes": OF_ITS_OWN, "clients": list(clients) or [client()], **members}


@asynccontextmanager
async def stored(settings: CredentialsSettings) -> AsyncIterator[tuple[Operations, Queries, Store]]:
    database = Database(settings.database_url)
    try:
        await migrate(database)
        store = Store(database, SystemClock(), settings.encryption_ring(), log_keys=settings.log_keys())
        yield build_operations(store, SystemClock(), settings), Queries(store), store
    finally:
        await database.close()


async def realm_of(settings: CredentialsSettings, name: str = "acme") -> Realm:
    async with stored(settings) as (_, queries, _):
        return await queries.realm(name)


async def exported(settings: CredentialsSettings, name: str = "acme") -> Any:
    return json.loads(b"".join([piece async for piece in write_export(settings, name, with_secrets=True)]))
