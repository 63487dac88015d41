"""Profiles: a server, who signs in there, and the access token; a file each, that only its owner can read."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Self

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn_shared.private_files import PRIVATE_DIRECTORY, write_private

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_CURRENT: Final = "current-profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """``realm``: of the administrator. ``default_realm``: the one that commands work on. ``secret_file``,
    ``key_file`` and ``data_dir`` (of a local stack): absolute paths, from which the token is renewed.
    ``token_expires_at``: NumericDate."""

    name: str
    server: str
    realm: str
    client_id: str
    default_realm: str
    secret_file: str | None = None
    key_file: str | None = None
    key_id: str | None = None
    data_dir: str | None = None
    ca_file: str | None = None
    insecure_http: bool = False
    token: str | None = field(default=None, repr=False)
    token_expires_at: float = 0.0

    def with_token(self, token: str | None, expires_at: float) -> Self:
        return replace(self, token=token, token_expires_at=expires_at)


def name_for(host: str, port: int | None) -> str:
    """Return the default name of a server's profile."""
    name = host.replace(":", "_") if port is None else f"{host.replace(':', '_')}-{port}"
    return name.lstrip("_") or name


class ProfileStore:
    """The profiles in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Use the XDG base directory for configuration; relative values are ignored, as it requires."""
        configured = environment.get("XDG_CONFIG_HOME", "")
        base = Path(configured) if configured.startswith("/") else Path.home() / ".config"
        return cls(base / "keyturn")

    def load(self, name: str | None) -> Profile:
        """Return a profile; without a name, the one last signed in. Raises CommandError."""
        name = name or self._current()
        if name is None:
            raise CommandError("you are not signed in; see keyturn login --help", ExitCode.NOT_ALLOWED)
        path = self._path(name)
        try:
            document: dict[str, Any] = json.loads(_read_own(path))
            known = {each.name for each in fields(Profile)}
            return Profile(**{key: value for key, value in document.items() if key in known})
        except FileNotFoundError:
            raise CommandError(
                f"there is no profile {name}; see keyturn login --help", ExitCode.NOT_ALLOWED
            ) from None
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, AttributeError):
            # No cause: it might quote the token.
            raise CommandError(f"{path} is not a profile; sign in again", ExitCode.NOT_ALLOWED) from None

    def save(self, profile: Profile, *, make_current: bool = False) -> None:
        """Replace a profile's file atomically. Raises CommandError."""
        path = self._path(profile.name)
        try:
            path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            write_private(path, json.dumps(asdict(profile), indent=2) + "\n")
            if make_current:
                write_private(self._directory / _CURRENT, profile.name + "\n")
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}") from error

    def delete(self, profile: Profile) -> None:
        """Remove a profile with its token. Raises CommandError."""
        try:
            self._path(profile.name).unlink(missing_ok=True)
            if self._current() == profile.name:
                (self._directory / _CURRENT).unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"{profile.name} cannot be removed: {error.strerror}") from error

    def _current(self) -> str | None:
        try:
            return (self._directory / _CURRENT).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise CommandError(
                "a profile's name has up to 100 letters, digits, dots, hyphens and underscores",
                ExitCode.USAGE,
            )
        return self._directory / "profiles" / f"{name}.json"


def _read_own(path: Path) -> bytes:
    """Read a file that nobody else can read or change: whoever changes the server gets the credentials."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if status.st_mode & 0o077 or status.st_uid not in (os.geteuid(), 0):
            raise CommandError(
                f"{path} can be read or changed by other users; remove it and sign in again",
                ExitCode.NOT_ALLOWED,
            )
        return file.read()


def absolute(path: Path | None) -> str | None:
    """Return a path that is valid from any working directory."""
    return None if path is None else os.path.abspath(path)
