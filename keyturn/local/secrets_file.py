"""Secrets that a local stack creates once: its keys and its first admin."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyturn.local.errors import StackError
from keyturn_shared.named_setting import named_setting
from keyturn_shared.private_files import write_private
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret
from keyturn_shared.signed_log.keys import LogSigningKeys

ENCRYPTION_KEYS: Final = "KEYTURN_ENCRYPTION_KEYS"
FLEET_KEYS: Final = "KEYTURN_FLEET_KEYS"
LOG_SIGNING_KEYS: Final = "KEYTURN_LOG_SIGNING_KEYS"
ADMIN_ID: Final = "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID"
ADMIN_SECRET: Final = "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET"  # noqa: S105 - a variable's name
_NAMES: Final = (ENCRYPTION_KEYS, FLEET_KEYS, LOG_SIGNING_KEYS, ADMIN_ID, ADMIN_SECRET)
_MADE_LATER: Final = {LOG_SIGNING_KEYS: LogSigningKeys.generate_key}
"""Values missing from a file of an earlier release, which can safely be created now."""
_HEADING: Final = "# Made by keyturn up. Without this file the database next to it cannot be read.\n"


@dataclass(frozen=True, slots=True)
class StackSecrets:
    """The values, and whether they were just created."""

    encryption_keys: Secret
    fleet_keys: Secret
    log_signing_keys: Secret
    admin_id: str
    admin_secret: Secret
    made_now: bool

    def environment(self) -> dict[str, str]:
        """Return the values as environment variables of the services."""
        return {
            ENCRYPTION_KEYS: self.encryption_keys.reveal(),
            FLEET_KEYS: self.fleet_keys.reveal(),
            LOG_SIGNING_KEYS: self.log_signing_keys.reveal(),
            ADMIN_ID: self.admin_id,
            ADMIN_SECRET: self.admin_secret.reveal(),
        }


def load_or_make(path: Path, environment: Mapping[str, str], *, database: Path) -> StackSecrets:
    """Read the file, or create it at the first start, with values from the environment if set.

    An existing file takes precedence: the database was written with it. Values introduced by a later release
    are added. Raises StackError when it cannot be read, or is missing while its database still exists.
    """
    if path.exists():
        return _complete(path, environment)
    if database.exists():
        raise StackError(
            f"{path} is missing, and {database.name} cannot be read without its keys: restore it"
        )
    return _make(path, environment)


def load(path: Path) -> StackSecrets:
    """Read the file. Raises StackError."""
    return _parse(path, _values_in(_read(path)))


def replace_admin_secret(path: Path, secret: Secret) -> None:
    """Replace the first admin's secret in the file, which keeps everything else. Raises StackError."""
    lines = _read(path).splitlines()
    kept = [line for line in lines if not line.startswith(f"{ADMIN_SECRET}=")]
    _write(path, "".join(f"{line}\n" for line in (*kept, f"{ADMIN_SECRET}={secret.reveal()}")))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"{path} cannot be read: {error}") from error


def _complete(path: Path, environment: Mapping[str, str]) -> StackSecrets:
    text = _read(path)
    present = _values_in(text)
    missing = {
        name: environment.get(name) or make() for name, make in _MADE_LATER.items() if not present.get(name)
    }
    kept = _parse(path, present | missing)
    if missing:
        _check(kept.environment())
        added = "".join(f"{name}={value}\n" for name, value in missing.items())
        _write(path, f"{text.rstrip()}\n{added}")
    return kept


def _make(path: Path, environment: Mapping[str, str]) -> StackSecrets:
    made = {
        ENCRYPTION_KEYS: environment.get(ENCRYPTION_KEYS) or KeyRing.generate_key(),
        FLEET_KEYS: environment.get(FLEET_KEYS) or KeyRing.generate_key(),
        LOG_SIGNING_KEYS: environment.get(LOG_SIGNING_KEYS) or LogSigningKeys.generate_key(),
        ADMIN_ID: environment.get(ADMIN_ID) or "keyturn-admin",
        ADMIN_SECRET: environment.get(ADMIN_SECRET) or secrets.token_urlsafe(32),
    }
    _check(made)
    _write(path, _HEADING + "".join(f"{name}={made[name]}\n" for name in _NAMES))
    return _from_values(made, made_now=True)


def _check(values: Mapping[str, str]) -> None:
    """Check the values as settings before they are stored. Raises ConfigurationError, StackError."""
    with named_setting(ENCRYPTION_KEYS):
        KeyRing.from_text(values[ENCRYPTION_KEYS], purpose="encryption")
    with named_setting(FLEET_KEYS):
        KeyRing.from_text(values[FLEET_KEYS], purpose="fleet")
    with named_setting(LOG_SIGNING_KEYS):
        LogSigningKeys.from_text(values[LOG_SIGNING_KEYS])
    if any(character in value for value in values.values() for character in "\r\n"):
        raise StackError("the first admin's id and secret must not contain a line break")


def _write(path: Path, text: str) -> None:
    try:
        write_private(path, text)
    except OSError as error:
        raise StackError(f"{path} cannot be written: {error.strerror}") from error


def _values_in(text: str) -> dict[str, str]:
    values = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name in _NAMES:
            values[name] = value
    return values


def _parse(path: Path, values: Mapping[str, str]) -> StackSecrets:
    missing = [name for name in _NAMES if not values.get(name)]
    if missing:
        raise StackError(f"{path} is damaged: {', '.join(missing)} is missing")
    return _from_values(values, made_now=False)


def _from_values(values: Mapping[str, str], *, made_now: bool) -> StackSecrets:
    return StackSecrets(
        Secret(values[ENCRYPTION_KEYS]),
        Secret(values[FLEET_KEYS]),
        Secret(values[LOG_SIGNING_KEYS]),
        values[ADMIN_ID],
        Secret(values[ADMIN_SECRET]),
        made_now,
    )


def ignored_settings(kept: StackSecrets, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names that the environment sets differently from the file, which takes precedence."""
    values = kept.environment()
    return [name for name in _NAMES if environment.get(name) and environment[name] != values[name]]
