"""Settings of the agent: a TOML file."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from keyturn.agent.keycloak_json import KeycloakJson, KeycloakJsonError
from keyturn.agent.sinks.settings import SinkSettings, check_sinks
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS

_MAX_FILES: Final = 32
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_EXPECTED: Final = {
    "issuer": "the URL of a realm, such as https://id.example.com/realms/acme",
    "auth-server-url of keycloak_json": "a URL such as https://id.example.com",
}

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


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
    """``issuer``: of the realm. ``state``: file with the secrets or keys of rotations.

    The first credential: ``secret_file``, or the environment; ``key_file``, with ``key_password_file``,
    ``key_entry_password_file``, ``key_alias``, ``key_id`` and ``key_algorithm`` as load_key takes them;
    ``pkcs11_module``, with the other members of PKCS#11, ``key_id`` and ``key_algorithm``, as Pkcs11Signer
    takes them; ``generate_key``, the algorithm of a key that the agent makes itself; or ``keycloak_json``,
    which also has the issuer and the client.

    ``socket``: path of a Unix socket, or ``port`` on 127.0.0.1. ``jwks_port``: serves the key set and nothing
    else, on ``jwks_host``. ``ca_file``: certificate authorities of the issuer's server, in PEM.
    """

    issuer: Text
    client_id: Text
    state: Text
    secret_file: Text | None = None
    key_file: Text | None = None
    key_password_file: Text | None = None
    key_entry_password_file: Text | None = None
    key_alias: Text | None = None
    key_id: Text | None = None
    key_algorithm: Text | None = None
    generate_key: Text | None = None
    pkcs11_module: Text | None = None
    pkcs11_token: Text | None = None
    pkcs11_serial: Text | None = None
    pkcs11_key: Text | None = None
    pkcs11_key_id: Text | None = None
    pkcs11_pin_file: Text | None = None
    keycloak_json: Text | None = None
    socket: Text | None = None
    port: Port | None = None
    jwks_port: Port | None = None
    jwks_host: Text | None = None
    ca_file: Text | None = None
    files: Annotated[list[WrittenFile], msgspec.Meta(max_length=_MAX_FILES)] = msgspec.field(
        default_factory=list
    )

    @classmethod
    def read(cls, path: Path) -> "AgentSettings":
        """Read a file. Raises AgentSettingsError."""
        try:
            document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            settings = msgspec.convert(_completed(document), cls)
            _check(settings)
        except OSError as error:
            raise AgentSettingsError(f"{path} cannot be read: {error.strerror or error}") from error
        except KeycloakJsonError as error:
            raise AgentSettingsError(f"{path}: {error.detail}") from error
        except (ValueError, msgspec.ValidationError) as error:
            raise AgentSettingsError(f"{path}: {error}") from error
        return settings


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with what ``keycloak_json`` says. Raises ValueError and KeycloakJsonError."""
    path = document.get("keycloak_json")
    if not isinstance(path, str):
        return document
    for name in ("issuer", "client_id"):
        if name in document:
            raise ValueError(f"set either {name} or keycloak_json, which has it too")
    found = KeycloakJson.read(Path(path))
    return document | {"issuer": found.issuer, "client_id": found.client_id}


def _check(settings: AgentSettings) -> None:
    """Raise ValueError for members that do not fit together."""
    name = "issuer" if settings.keycloak_json is None else "auth-server-url of keycloak_json"
    url = urlsplit(settings.issuer)
    is_realm = re.search(r"/realms/[^/]+\Z", url.path) is not None and not (url.query or url.fragment)
    if url.scheme not in ("http", "https") or not url.hostname or url.username or not is_realm:
        raise ValueError(f"{name} must be {_EXPECTED[name]}")
    if url.scheme == "http" and url.hostname not in _THIS_MACHINE:
        raise ValueError(
            f"{name} must begin with https:// unless it is on this machine: secrets are sent to it"
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
    _check_credential(settings)


def _check_credential(settings: AgentSettings) -> None:
    """Raise ValueError for settings of a credential that do not fit together."""
    sources = ("secret_file", "key_file", "pkcs11_module", "generate_key", "keycloak_json")
    given = [name for name in sources if getattr(settings, name) is not None]
    if len(given) > 1:
        raise ValueError(f"set only one of {', '.join(sources)}: there are {' and '.join(given)}")
    for name in ("key_password_file", "key_entry_password_file", "key_alias"):
        if getattr(settings, name) is not None and settings.key_file is None:
            raise ValueError(f"{name} is of a key_file, which is not set")
    for name in ("key_id", "key_algorithm"):
        if getattr(settings, name) is not None and not (settings.key_file or settings.pkcs11_module):
            raise ValueError(f"{name} is of a key_file or pkcs11_module, and neither is set")
    for name in ("token", "serial", "key", "key_id", "pin_file"):
        if getattr(settings, f"pkcs11_{name}") is not None and settings.pkcs11_module is None:
            raise ValueError(f"pkcs11_{name} is of pkcs11_module, which is not set")
    if settings.pkcs11_module is not None:
        if (settings.pkcs11_token is None) == (settings.pkcs11_serial is None):
            raise ValueError("set either pkcs11_token, the token's label, or pkcs11_serial")
        if settings.pkcs11_key is None and settings.pkcs11_key_id is None:
            raise ValueError("set pkcs11_key, the key's label, or pkcs11_key_id")
    if settings.generate_key is not None and settings.generate_key not in SIGNATURE_ALGORITHMS:
        raise ValueError(f"generate_key must be one of {', '.join(SIGNATURE_ALGORITHMS)}")
    if settings.jwks_host is not None and settings.jwks_port is None:
        raise ValueError("jwks_host is of jwks_port, which is not set")
    if settings.jwks_port is not None and settings.jwks_port == settings.port:
        raise ValueError("jwks_port and port must differ: one is public")
