"""Import and export of realm files, with or without a running service."""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from keyturn_credentials.domain.export_documents import read_documents
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.exporting import export_realm
from keyturn_credentials.operations.import_pace import background_pace
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import ImportReport
from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.encryption_check import refuse_foreign_keys
from keyturn_credentials.store.migrate import Schema, migrate, read_schema
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose.errors import MalformedError


async def import_export(
    settings: CredentialsSettings,
    file: Path,
    *,
    realm: str | None = None,
    if_exists: IfExists = IfExists.FAIL,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[ImportReport]:
    """Import the realms of a file. Return their reports. ``realm``: a new name, if the file has only one
    realm. ``progress``: called with the number of clients done and the total.

    Each realm is imported completely or not at all; realms before a failure stay. A running service publishes
    the events at its relay's next poll. Raises ConfigurationError, CredentialsError.
    """
    documents, _ = read_file(file)
    if realm is not None and len(documents) > 1:
        raise InvalidRequestError(f"{file} has {len(documents)} realms: they keep their names")
    return await import_documents(
        settings, documents, realm=realm, if_exists=if_exists, dry_run=dry_run, progress=progress
    )


async def import_documents(
    settings: CredentialsSettings,
    documents: Iterable[Mapping[str, Any]],
    *,
    realm: str | None = None,
    if_exists: IfExists = IfExists.FAIL,
    dry_run: bool = False,
    keep_unfinished: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[ImportReport]:
    """Import realms that were already read, as ``import_export`` does. ``keep_unfinished``: a new realm stays
    disabled when the import is interrupted, for the next one to continue, instead of being deleted."""
    actor = Actor(Principal.system())
    async with _read_only(settings) if dry_run else _opened(settings) as store:
        imports = build_operations(store, SystemClock(), settings).realm_imports
        return [
            await imports.run(
                actor,
                document,
                name=realm,
                if_exists=if_exists,
                dry_run=dry_run,
                keep_unfinished=keep_unfinished,
                pace=background_pace(progress),
            )
            for document in documents
        ]


async def write_export(
    settings: CredentialsSettings, realm_name: str, *, with_secrets: bool
) -> AsyncIterator[bytes]:
    """Yield a realm with its clients as JSON, in pieces. Raises ConfigurationError, CredentialsError."""
    async with _opened(settings) as store:
        queries = Queries(store)
        realm = await queries.realm(realm_name)
        now = SystemClock().now()
        async for piece in export_realm(
            queries, realm, with_clients=True, with_secrets=with_secrets, now=now
        ):
            yield piece


@asynccontextmanager
async def _opened(settings: CredentialsSettings) -> AsyncIterator[Store]:
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    try:
        await migrate(database)
        ring = settings.encryption_ring()
        await refuse_foreign_keys(database, ring)
        yield Store(database, SystemClock(), ring, log_keys=settings.log_keys())
    finally:
        await database.close()


@asynccontextmanager
async def _read_only(settings: CredentialsSettings) -> AsyncIterator[Store]:
    """Open the database for a dry run, or a temporary one if it is missing or empty. Nothing is written."""
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    try:
        schema = None if _is_missing(settings.database_url) else await read_schema(database)
        if schema is Schema.CURRENT:
            yield Store(database, SystemClock(), settings.encryption_ring())
            return
    finally:
        await database.close()
    if schema is not None:
        raise ConfigurationError(
            f"the database was written by {'an earlier' if schema is Schema.OLDER else 'a later'} release:"
            " a dry run does not change it"
        )
    with tempfile.TemporaryDirectory() as directory:
        empty = settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{directory}/empty.db"})
        async with _opened(empty) as store:
            yield store


def _is_missing(database_url: str) -> bool:
    url = make_url(database_url)
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()


def read_file(file: Path) -> tuple[list[dict[str, Any]], str]:
    """Read the realms of an export, at least one, and the SHA-256 of its octets. It is read once: it may be a
    pipe. Raises ConfigurationError."""
    try:
        data = file.read_bytes()
        return read_documents(data), hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except MalformedError as error:
        raise ConfigurationError(f"{file} is not a JSON object: {error.detail}") from error
