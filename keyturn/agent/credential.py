"""The credential that the agent holds: secrets or keys, of which the first one comes from its settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from keyturn.agent.keycloak_json import KeycloakJson, KeycloakJsonError
from keyturn.agent.settings import AgentSettings, AgentSettingsError
from keyturn.client.key_files import KeyFileError, load_key
from keyturn.client.keys import ClientKeys
from keyturn.client.secrets import ClientSecret
from keyturn.client.signer import Signer, SignerError

SECRET: Final = "KEYTURN_AGENT_SECRET"  # noqa: S105 - the name of a variable


def credential_of(settings: AgentSettings, environment: Mapping[str, str]) -> ClientSecret | ClientKeys:
    """Return the client's secrets or keys, with what rotations have stored. Raises AgentSettingsError,
    SecretStateError, KeyStateError and MissingExtraError."""
    state = Path(settings.state)
    if settings.generate_key is not None:
        return _keys(settings, ClientKeys.generated(settings.generate_key, state=state))
    first = _first(settings, environment)
    if not isinstance(first, str):
        return _keys(settings, ClientKeys(first, state=state))
    if settings.jwks_port is not None:
        raise AgentSettingsError("jwks_port serves keys, and the client has a secret")
    secret = ClientSecret(first, state=state)
    secret.check()
    return secret


def _first(settings: AgentSettings, environment: Mapping[str, str]) -> str | Signer:
    try:
        if settings.keycloak_json is not None:
            return KeycloakJson.read(Path(settings.keycloak_json)).credential()
        if settings.key_file is not None:
            return load_key(
                Path(settings.key_file),
                password=_line_if_set("key_password_file", settings.key_password_file),
                key_password=_line_if_set("key_entry_password_file", settings.key_entry_password_file),
                algorithm=settings.key_algorithm,
                kid=settings.key_id,
                alias=settings.key_alias,
            )
        if settings.pkcs11_module is not None:
            return _in_token(settings, Path(settings.pkcs11_module))
    except SignerError as error:
        raise AgentSettingsError(f"pkcs11_module: {error.detail}") from error
    except KeycloakJsonError as error:
        raise AgentSettingsError(error.detail) from error
    except KeyFileError as error:
        name = "key_file" if settings.keycloak_json is None else "client-keystore-file of keycloak_json"
        raise AgentSettingsError(f"{name} {error.detail}") from error
    if settings.secret_file is not None:
        return _line("secret_file", settings.secret_file)
    secret = environment.get(SECRET, "")
    if not secret:
        raise AgentSettingsError(
            f"set secret_file, key_file, pkcs11_module, generate_key or keycloak_json, or {SECRET} in the "
            "environment"
        )
    return secret


def _in_token(settings: AgentSettings, module: Path) -> Signer:
    from keyturn.pkcs11 import Pkcs11Signer  # needs an extra of its own

    return Pkcs11Signer.open(
        module,
        token=settings.pkcs11_token,
        serial=settings.pkcs11_serial,
        key=settings.pkcs11_key,
        key_id=settings.pkcs11_key_id,
        pin=None if settings.pkcs11_pin_file is None else Path(settings.pkcs11_pin_file),
        algorithm=settings.key_algorithm,
        kid=settings.key_id,
    )


def _keys(settings: AgentSettings, keys: ClientKeys) -> ClientKeys:
    for file in settings.files:
        if file.holds == "secret":
            raise AgentSettingsError(f"{file.path} holds a secret, and the client has keys")
    if settings.kubernetes or settings.vault or settings.webhooks:
        raise AgentSettingsError("kubernetes, vault and webhooks deliver a secret, and the client has keys")
    return keys


def _line_if_set(setting: str, path: str | None) -> str | None:
    return None if path is None else _line(setting, path)


def _line(setting: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AgentSettingsError(f"{setting} {path} cannot be read: {error}") from error
    if not text:
        raise AgentSettingsError(f"{setting} {path} is empty")
    return text
