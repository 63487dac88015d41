"""Access of administrators, from beside the database: recovery, and a check of a known secret."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from keyturn_credentials.domain.client import Client
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.database_url import require_database_file
from keyturn_credentials.store.encryption_check import refuse_foreign_keys
from keyturn_credentials.store.migrate import Schema, read_schema
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.secret import Secret


@dataclass(frozen=True, slots=True)
class Trouble:
    """The reason why an administrator cannot sign in with a secret: ``text`` goes on after the client's name.
    ``by_any_means``: not with a one-time link either."""

    text: str
    by_any_means: bool = True


async def recover_administrator(
    settings: CredentialsSettings, client_id: str, secret: Secret
) -> tuple[int, bool]:
    """Let a client of realm ``master`` administer everything with this secret. Return the sequence of the
    event, and whether the client is new. A running service publishes the event at its relay's next poll.

    Raises CredentialsError, and ConfigurationError for a database without keyturn's tables, or of another
    release.
    """
    async with opened_store(settings) as store:
        return await build_operations(store, SystemClock(), settings).recovery.run(client_id, secret)


async def trouble_of(
    settings: CredentialsSettings, realm_name: str, client_id: str, secret: Secret
) -> Trouble | None:
    """Return why this administrator cannot sign in with this secret; None if it can. Nothing is written, and
    no sign-in is counted. Raises ConfigurationError, CredentialsError."""
    async with opened_store(settings) as store, store.find() as reading:
        realm = await reading.realms.get(realm_name)
        client = None if realm is None else await reading.clients.find(realm.id, client_id)
    return find_trouble(client, SecretIssuer(settings.fleet_ring()), secret)


def find_trouble(client: Client | None, secrets: SecretIssuer, secret: Secret) -> Trouble | None:
    """Return why this client cannot administer with this secret; None if it can."""
    if client is None:
        return Trouble("does not exist any more")
    if not client.enabled:
        return Trouble("is disabled")
    if not client.service_accounts_enabled:
        return Trouble("has no service account")
    if not client.admin_roles:
        return Trouble("has no admin role")
    if not client.needs_secret:
        return Trouble("does not sign in with a secret any more", by_any_means=False)
    if not secrets.is_same(client, secret):
        return Trouble("has another secret now", by_any_means=False)
    return None


@asynccontextmanager
async def opened_store(settings: CredentialsSettings) -> AsyncIterator[Store]:
    """Open a database that a credentials service has made, without making or upgrading one."""
    require_database_file(settings.database_url)
    database = Database(settings.database_url, pool_size=1)
    try:
        match await read_schema(database):
            case Schema.CURRENT:
                pass
            case None:
                raise ConfigurationError("the database is empty: start the credentials service first")
            case Schema.OLDER:
                raise ConfigurationError(
                    "the database was written by an earlier release: start the credentials service of this"
                    " release first"
                )
            case Schema.NEWER:
                raise ConfigurationError("the database was written by a later release")
        ring = settings.encryption_ring()
        await refuse_foreign_keys(database, ring)
        yield Store(database, SystemClock(), ring, log_keys=settings.log_keys())
    finally:
        await database.close()
