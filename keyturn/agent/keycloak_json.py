"""``keycloak.json``, the file that configures Keycloak's adapters."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from keyturn.client.key_files import load_key
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.signing import SigningKey

_DEFAULT_ALGORITHM: Final = "RS256"


class KeycloakJsonError(KeyturnError):
    """The file cannot be used; ``detail`` names it and the member."""

    code = "keycloak_json"


@dataclass(frozen=True, slots=True)
class KeycloakJson:
    """The members of the file that the agent needs. ``credentials``: as Keycloak writes them, hidden in
    ``repr``."""

    path: Path
    issuer: str
    client_id: str
    _credentials: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file. Raises KeycloakJsonError."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise KeycloakJsonError(
                f"keycloak_json {path} cannot be read: {error.strerror or error}"
            ) from error
        except ValueError:
            raise KeycloakJsonError(f"keycloak_json {path} is not JSON") from None
        if not isinstance(document, dict):
            raise KeycloakJsonError(f"keycloak_json {path} is not an object")
        url, realm, client_id = (
            _text(path, document, name) for name in ("auth-server-url", "realm", "resource")
        )
        credentials = document.get("credentials")
        if not isinstance(credentials, dict) or not credentials.keys() & {"secret", "jwt"}:
            raise KeycloakJsonError(f"keycloak_json {path}: credentials has neither secret nor jwt")
        return cls(path, f"{url.rstrip('/')}/realms/{quote(realm, safe='')}", client_id, credentials)

    def __repr__(self) -> str:
        return f"KeycloakJson({str(self.path)!r})"

    def credential(self) -> str | SigningKey:
        """Return the secret, or load the key from its keystore, with the ``kid`` that Keycloak's adapters
        send. A keystore is PKCS#12 or JKS, whatever its type is said to be: the file shows it. Raises
        KeycloakJsonError and KeyFileError."""
        if "jwt" not in self._credentials:
            return _text(self.path, self._credentials, "secret")
        jwt = self._credentials["jwt"]
        if not isinstance(jwt, dict):
            raise KeycloakJsonError(f"keycloak_json {self.path}: jwt is not an object")
        keystore = Path(_text(self.path, jwt, "client-keystore-file"))
        password = _text(self.path, jwt, "client-keystore-password")
        key = load_key(
            keystore,
            password=password,
            key_password=_text(self.path, jwt, "client-key-password", default=password),
            alias=_text(self.path, jwt, "client-key-alias", default=self.client_id),
            algorithm=_text(self.path, jwt, "algorithm", default=_DEFAULT_ALGORITHM),
        )
        of_keycloak = key.verification_key.other_kids
        return key.renamed(of_keycloak[0]) if of_keycloak else key  # a JWK names itself


def _text(path: Path, members: dict[str, Any], name: str, default: str | None = None) -> str:
    value = members.get(name, default)
    if not isinstance(value, str) or not value:
        raise KeycloakJsonError(f"keycloak_json {path}: {name} is missing or not a text")
    return value
