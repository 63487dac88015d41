"""Realm exports as files: taking over Keycloak's, and writing one, beside a running service or without it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.composition import build_operations
from keyturn_credentials.operations.exporting import export_realm
from keyturn_credentials.operations.importing import IfExists
from keyturn_credentials.operations.recording import require_realm
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_credentials.web.importing import describe_report
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError


async def import_export(
    settings: CredentialsSettings,
    file: Path,
    *,
    realm: str | None = None,
    if_exists: IfExists = IfExists.FAIL,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Import a file's clients into a realm: the named one, else that of the export; it is made if it is not
    there. Returns the report as ``partialImport`` shows it.

    A running service publishes the events within its relay's next look. Raises ConfigurationError,
    CredentialsError.
    """
    document = _read(file)
    name = realm or document.get("realm")
    if not isinstance(name, str):
        raise InvalidRequestError("the export does not name its realm; name one")
    async with _opened(settings) as store:
        operations = build_operations(store, SystemClock(), settings)
        actor = Actor(Principal.system())
        async with store.read() as reading:
            exists = await reading.realms.get(name) is not None
        if not exists and dry_run:
            return describe_report(await operations.realm_imports.rehearse(actor, name, document))
        if not exists:
            await operations.realms.create(actor, {"realm": name})
        report = await operations.imports.run(actor, name, document, if_exists=if_exists, dry_run=dry_run)
    return describe_report(report)


async def write_export(
    settings: CredentialsSettings, realm_name: str, *, with_secrets: bool
) -> AsyncIterator[bytes]:
    """A realm with its clients as JSON, in pieces. Raises ConfigurationError, CredentialsError."""
    async with _opened(settings) as store:
        async with store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
        now = SystemClock().now()
        async for piece in export_realm(store, realm, with_clients=True, with_secrets=with_secrets, now=now):
            yield piece


@asynccontextmanager
async def _opened(settings: CredentialsSettings) -> AsyncIterator[Store]:
    engines = Engines(settings.database_url, pool_size=settings.database_pool_size)
    try:
        await migrate(engines)
        yield Store(engines, SystemClock(), settings.encryption_ring())
    finally:
        await engines.close()


def _read(file: Path) -> dict[str, Any]:
    try:
        return strict_json.decode_object(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except MalformedError as error:
        raise ConfigurationError(f"{file} is not a JSON object: {error.detail}") from error
