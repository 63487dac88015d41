"""Settings: all that is wrong with them, at once. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from keyturn.checked_settings import describe_settings_error
from keyturn.doctor.diagnoses import backends
from keyturn.doctor.findings import Finding
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.named_setting import named_setting
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.redis_client import connect
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys, LogVerificationKeys
from keyturn_shared.this_machine import is_this_machine

_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "database_url": lambda text: Database(text, pool_size=1),
    "redis_url": connect,
    "encryption_keys": lambda text: KeyRing.from_text(text, purpose="encryption"),
    "fleet_keys": FleetRing.read,
    "log_signing_keys": LogSigningKeys.from_text,
    "fetcher_verification_keys": LogVerificationKeys.from_text,
    "jwks_proxy": lambda text: Proxy.parse(text, resolves=False),
}
"""Readers of values that have a form of their own. Each raises ConfigurationError."""


def read_settings(values: Mapping[str, Any]) -> tuple[CredentialsSettings | None, list[Finding]]:
    """Return the settings, None if they are invalid, and everything that is wrong with them.

    ``values``: by name, in lower case and without the prefix, in place of the environment's.
    """
    wrong = [Finding(backends.SETTINGS_INVALID, text) for text in dict.fromkeys(_misread(values))]
    try:
        settings = CredentialsSettings(**values)
    except ValidationError as error:
        told = [
            Finding(backends.SETTINGS_INVALID, each) for each in describe_settings_error(error).split("\n")
        ]
        return None, [*told, *wrong]
    except ConfigurationError as error:
        found = [Finding(backends.SETTINGS_INVALID, each) for each in error.detail.split("\n")]
        return None, list(dict.fromkeys([*wrong, *found]))
    return (None if wrong else settings), [*wrong, *judge(settings)]


def judge(settings: CredentialsSettings) -> Iterator[Finding]:
    """Yield what is unwise in valid settings."""
    url = urlsplit(settings.base_url)
    if url.scheme != "https" and not is_this_machine(url.hostname or ""):
        yield Finding(backends.SETTINGS_URL_WITHOUT_TLS, f"KEYTURN_PUBLIC_URL is {url.scheme}://{url.netloc}")
    if settings.log_signing_keys is None:
        yield Finding(backends.SETTINGS_LOG_KEYS_DERIVED, "KEYTURN_LOG_SIGNING_KEYS is not set")


def _misread(values: Mapping[str, Any]) -> Iterator[str]:
    for name, read in _READERS.items():
        value = values.get(name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text is None:
            continue
        try:
            with named_setting(f"KEYTURN_{name.upper()}"):
                read(text)
        except ConfigurationError as error:
            yield error.detail
