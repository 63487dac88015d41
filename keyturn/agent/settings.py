"""Settings of the agent: a TOML file, and the first secret from a file or the environment."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from keyturn.agent.sinks.settings import SinkSettings, check_sinks
from keyturn_shared.errors import KeyturnError

SECRET: Final = "KEYTURN_AGENT_SECRET"  # noqa: S105 - the name of a variable
_MAX_FILES: Final = 32
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class AgentSettingsError(KeyturnError):
    """The settings of the agent are invalid; ``detail`` names the file and the member."""

    code = "agent_settings"


class WrittenFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A file for programs that read files only. ``holds``: an access token, or the secret in use. ``scope``,
    ``resource``: of the token. ``mode``: octal. ``owner``, ``group``: names or numbers, the agent's by
    default. ``format``: ``env`` for a line ``NAME="…"`` with this ``name``. ``command``: run after each
    change, without a shell. ``signal``: sent after each change to the process of ``pid_file``."""

    path: Text
    holds: Literal["token", "secret"]
    scope: str | None = None
    resource: str | None = None
    mode: Annotated[str, msgspec.Meta(pattern=r"^0?[0-7]{3}$")] = "0600"
    owner: Text | None = None
    group: Text | None = None
    format: Literal["plain", "env"] = "plain"
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z", max_length=200)] | None = None
    command: Annotated[list[Text], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)
    signal: Literal["HUP", "USR1", "USR2", "TERM"] | None = None
    pid_file: Text | None = None


class AgentSettings(SinkSettings, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``issuer``: of the realm. ``state``: file with the secrets of rotations. ``secret_file``: with the
    first secret; else the environment has it. ``socket``: path of a Unix socket, or ``port`` on 127.0.0.1.
    ``ca_file``: certificate authorities of the issuer's server, in PEM."""

    issuer: Text
    client_id: Text
    state: Text
    secret_file: Text | None = None
    socket: Text | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    ca_file: Text | None = None
    files: Annotated[list[WrittenFile], msgspec.Meta(max_length=_MAX_FILES)] = msgspec.field(
        default_factory=list
    )

    @classmethod
    def read(cls, path: Path) -> "AgentSettings":
        """Read a file. Raises AgentSettingsError."""
        try:
            document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            settings = msgspec.convert(document, cls)
            _check(settings)
        except OSError as error:
            raise AgentSettingsError(f"{path} cannot be read: {error.strerror or error}") from error
        except (ValueError, msgspec.ValidationError) as error:
            raise AgentSettingsError(f"{path}: {error}") from error
        return settings

    def first_secret(self, environment: Mapping[str, str]) -> str:
        """Return the secret that the client was configured with. Raises AgentSettingsError."""
        if self.secret_file is None:
            secret = environment.get(SECRET, "")
            if not secret:
                raise AgentSettingsError(f"set secret_file, or {SECRET} in the environment")
            return secret
        try:
            secret = Path(self.secret_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise AgentSettingsError(f"secret_file {self.secret_file} cannot be read: {error}") from error
        if not secret:
            raise AgentSettingsError(f"secret_file {self.secret_file} is empty")
        return secret


def _check(settings: AgentSettings) -> None:
    """Raise ValueError for members that do not fit together."""
    url = urlsplit(settings.issuer)
    is_realm = re.search(r"/realms/[^/]+\Z", url.path) is not None and not (url.query or url.fragment)
    if url.scheme not in ("http", "https") or not url.hostname or url.username or not is_realm:
        raise ValueError("issuer must be the URL of a realm, such as https://id.example.com/realms/acme")
    if url.scheme == "http" and url.hostname not in _THIS_MACHINE:
        raise ValueError(
            "issuer must begin with https:// unless it is on this machine: secrets are sent to it"
        )
    if (settings.socket is None) == (settings.port is None):
        raise ValueError("set either socket, the path of a Unix socket, or port")
    paths = [settings.state, f"{settings.state}.sinks", *(file.path for file in settings.files)]
    for path in paths:
        if paths.count(path) > 1:
            raise ValueError(f"{path} is named twice")
    for file in settings.files:
        if file.holds == "secret" and (file.scope or file.resource):
            raise ValueError(f"{file.path} holds a secret, which has no scope or resource")
        if (file.format == "env") != (file.name is not None):
            raise ValueError(f'{file.path}: format = "env" and name go together')
        if (file.signal is None) != (file.pid_file is None):
            raise ValueError(f"{file.path}: signal and pid_file go together")
    check_sinks(settings)
