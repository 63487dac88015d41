"""Stored secrets that somebody has damaged behind the service's back."""

from typing import Any

from sqlalchemy import select, update

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.tables import clients


async def stored(database: Database, uuid: str) -> dict[str, Any]:
    """Return a client's secrets as they are stored."""
    (row,) = await database.find(select(clients.c.secrets).where(clients.c.uuid == uuid))
    found: dict[str, Any] = row.secrets
    return found


async def put(database: Database, uuid: str, secrets: dict[str, Any]) -> None:
    async with database.writing() as connection:
        await connection.execute(update(clients).where(clients.c.uuid == uuid).values(secrets=secrets))


async def damage(database: Database, uuid: str) -> dict[str, Any]:
    """Change the current secret, so that no key decrypts it. Return the secrets as they were stored."""
    before = await stored(database, uuid)
    sealed = f"{before['current']['sealed'][:-4]}AAAA"
    await put(database, uuid, before | {"current": before["current"] | {"sealed": sealed}})
    return before
