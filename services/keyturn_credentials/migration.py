"""Taking over a Keycloak realm export from a file, beside a running service or before its first start."""

from pathlib import Path
from typing import Any

from keyturn_credentials.app import build_operations
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.importing import IfExists
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
    clock = SystemClock()
    engines = Engines(settings.database_url, pool_size=settings.database_pool_size)
    try:
        await migrate(engines)
        store = Store(engines, clock, settings.encryption_ring())
        operations = build_operations(store, clock, settings)
        actor = Actor(Principal.system())
        async with store.read() as reading:
            exists = await reading.realms.get(name) is not None
        if not exists and not dry_run:
            await operations.realms.create(actor, {"realm": name})
        if not exists and dry_run:
            raise InvalidRequestError(f"realm {name} is not there yet: a dry run needs it")
        report = await operations.imports.run(actor, name, document, if_exists=if_exists, dry_run=dry_run)
    finally:
        await engines.close()
    return describe_report(report)


def _read(file: Path) -> dict[str, Any]:
    try:
        return strict_json.decode_object(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except MalformedError as error:
        raise ConfigurationError(f"{file} is not a JSON object: {error.detail}") from error
