"""What a local stack makes once and keeps: its two key rings and its first admin."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyturn.stack.errors import StackError
from keyturn.stack.files import write_private
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret

ENCRYPTION_KEYS: Final = "KEYTURN_ENCRYPTION_KEYS"
FLEET_KEYS: Final = "KEYTURN_FLEET_KEYS"
ADMIN_ID: Final = "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID"
ADMIN_SECRET: Final = "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET"  # noqa: S105 - a variable's name
_NAMES: Final = (ENCRYPTION_KEYS, FLEET_KEYS, ADMIN_ID, ADMIN_SECRET)
_HEADING: Final = "# Made by keyturn up. Without this file the database beside it cannot be read.\n"


@dataclass(frozen=True, slots=True)
class StackSecrets:
    """The values, and whether they were made just now."""

    encryption_keys: Secret
    fleet_keys: Secret
    admin_id: str
    admin_secret: Secret
    made_now: bool

    def environment(self) -> dict[str, str]:
        """As the services' settings take them."""
        return {
            ENCRYPTION_KEYS: self.encryption_keys.reveal(),
            FLEET_KEYS: self.fleet_keys.reveal(),
            ADMIN_ID: self.admin_id,
            ADMIN_SECRET: self.admin_secret.reveal(),
        }


def load_or_make(path: Path, environment: Mapping[str, str], *, database: Path) -> StackSecrets:
    """Read the file; at the first start make it, from the environment where that names a value.

    Once made, the file holds: it is what the database was written with. Raises StackError when it cannot
    be read, or is gone while its database is still there.
    """
    if path.exists():
        return load(path)
    if database.exists():
        raise StackError(
            f"{path} is missing, and {database.name} cannot be read without its keys: put it back"
        )
    return _make(path, environment)


def load(path: Path) -> StackSecrets:
    """Read the file. Raises StackError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"{path} cannot be read: {error}") from error
    return _parse(path, text)


def _make(path: Path, environment: Mapping[str, str]) -> StackSecrets:
    made = {
        ENCRYPTION_KEYS: environment.get(ENCRYPTION_KEYS) or KeyRing.generate_key(),
        FLEET_KEYS: environment.get(FLEET_KEYS) or KeyRing.generate_key(),
        ADMIN_ID: environment.get(ADMIN_ID) or "keyturn-admin",
        ADMIN_SECRET: environment.get(ADMIN_SECRET) or secrets.token_urlsafe(32),
    }
    # Read as settings first: a bad value must not be kept.
    KeyRing.from_text(made[ENCRYPTION_KEYS], purpose="encryption")
    KeyRing.from_text(made[FLEET_KEYS], purpose="fleet")
    if any(character in value for value in made.values() for character in "\r\n"):
        raise StackError("a first admin's id or secret has a line break in it")
    try:
        write_private(path, _HEADING + "".join(f"{name}={made[name]}\n" for name in _NAMES))
    except OSError as error:
        raise StackError(f"{path} cannot be written: {error.strerror}") from error
    return _from_values(made, made_now=True)


def _parse(path: Path, text: str) -> StackSecrets:
    values = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name in _NAMES:
            values[name] = value
    missing = [name for name in _NAMES if not values.get(name)]
    if missing:
        raise StackError(f"{path} is damaged: {', '.join(missing)} is not in it")
    return _from_values(values, made_now=False)


def _from_values(values: Mapping[str, str], *, made_now: bool) -> StackSecrets:
    return StackSecrets(
        Secret(values[ENCRYPTION_KEYS]),
        Secret(values[FLEET_KEYS]),
        values[ADMIN_ID],
        Secret(values[ADMIN_SECRET]),
        made_now,
    )


def ignored_settings(kept: StackSecrets, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Names the environment sets to something else than the kept file does; the file holds."""
    values = kept.environment()
    return [name for name in _NAMES if environment.get(name) and environment[name] != values[name]]
