"""The source of a migration: an export file, or a running Keycloak."""

import asyncio
import getpass
import hashlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from keyturn.migrate.keycloak import Administrator, Keycloak
from keyturn.migrate.realm_reader import read_keycloak
from keyturn_credentials.realm_transfer import read_file
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import strict_json
from keyturn_shared.network.tls import client_context
from keyturn_shared.secret import Secret
from keyturn_shared.this_machine import is_this_machine

ADMIN_SECRET: Final = "KEYTURN_MIGRATE_ADMIN_SECRET"  # noqa: S105 - a name
"""Variable with the secret of the administrator's client; it is never an argument, which others can see."""
_SECRETS: Final = frozenset({"secret", "client.secret.rotated"})


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Options that name a source. ``source``: the path of an export, or a Keycloak's URL."""

    source: str
    realm: str | None
    admin_realm: str
    admin_client_id: str
    ca_file: Path | None
    allow_http: bool

    @property
    def is_url(self) -> bool:
        return self.source.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Source:
    """A source that was read. ``sha256``: of the file's octets, or of a running Keycloak's realm as JSON with
    its secrets masked. ``read_at``: NumericDate seconds."""

    name: str
    documents: Sequence[Mapping[str, Any]]
    sha256: str
    read_at: float

    def described(self) -> dict[str, Any]:
        return {"source": self.name, "sha256": self.sha256, "readAt": shown_time(self.read_at)}


def read_source(options: SourceOptions) -> Source:
    """Read a source. Raises ConfigurationError, KeycloakError."""
    if options.is_url:
        set_on_retry_hooks([_show_retry])
        return asyncio.run(_from_keycloak(options))
    file = Path(options.source)
    documents, sha256 = read_file(file)
    if options.realm is not None:
        documents = [each for each in documents if each.get("realm") == options.realm]
        if not documents:
            raise ConfigurationError(f"{file} has no realm {options.realm}")
    return Source(str(file), documents, sha256, time.time())


async def _from_keycloak(options: SourceOptions) -> Source:
    if options.realm is None:
        raise ConfigurationError("--realm is required: the realm of the Keycloak to read")
    require_private(options.source, allow_http=options.allow_http)
    administrator = Administrator(options.admin_client_id, admin_secret(), options.admin_realm)
    keycloak = Keycloak(options.source, administrator, tls=client_context(options.ca_file))
    try:
        document = await read_keycloak(keycloak, options.realm, _show_read)
    finally:
        await keycloak.close()
    digest = hashlib.sha256(strict_json.encode(_masked(document))).hexdigest()
    return Source(options.source, [document], digest, time.time())


def require_private(url: str, *, allow_http: bool) -> None:
    """Raise ConfigurationError for a URL to which credentials would be sent in clear text."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        # No detail: it quotes what may be a password.
        raise ConfigurationError("the URL cannot be read: its host or port is not one") from None
    if not has_port or parts.username is not None or parts.query or parts.fragment or not parts.hostname:
        raise ConfigurationError(f"{parts.hostname or 'it'}: the URL must have a host, and a path at most")
    if parts.scheme == "https" or allow_http or is_this_machine(parts.hostname):
        return
    raise ConfigurationError(
        f"{parts.hostname}: over http everyone on the way can read the secrets: use https, or --allow-http"
    )


def admin_secret(environment: Mapping[str, str] = os.environ) -> Secret:
    """Return the administrator's secret: from the environment, or asked for at the terminal. Raises
    ConfigurationError."""
    if found := environment.get(ADMIN_SECRET):
        return Secret(found)
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{ADMIN_SECRET} or {ADMIN_SECRET}_FILE is required")
    if asked := getpass.getpass("Secret of the administrator's client: "):
        return Secret(asked)
    raise ConfigurationError("no secret was given")


def shown_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _show_read(count: int) -> None:
    sys.stderr.write(f"{count:,} clients read\n")
    sys.stderr.flush()


def _show_retry(details: RetryDetails) -> None:
    """Print why a call is repeated. By default, stamina logs to standard output, where the report goes."""
    sys.stderr.write(f"{details.caused_by}; trying again in {details.wait_for:.1f} s\n")
    sys.stderr.flush()


def _masked(value: Any) -> Any:
    """Return a copy without secrets, so that their digest tells nobody whether a guess is right."""
    if isinstance(value, Mapping):
        return {
            name: Secret.MASK if name in _SECRETS and inner else _masked(inner)
            for name, inner in sorted(value.items())
        }
    return [_masked(inner) for inner in value] if isinstance(value, list) else value
