"""Clients of a Keycloak realm export: what can be taken over, and what cannot. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import AUTHENTICATORS
from keyturn_credentials.domain.client_keys import is_thumbprint
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.secret import Secret

REVOKED_KEYS: Final = "keyturnRevokedKeys"
"""Member of an exported client that Keycloak's have not: RFC 7638 thumbprint to time of revocation."""
_WITHOUT_EFFECT: Final = ("authorizationSettings", "authenticationFlowBindingOverrides", "protocolMappers")
_KEYCLOAKS_OWN: Final = frozenset(
    {"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}
)


@dataclass(frozen=True, slots=True)
class ExportedClient:
    """One client of an export. ``refused``: why it is not taken over at all; ``notes``: what of it is not.

    ``expires_at``: NumericDate seconds until which its secret is valid, None without an end; ``rotated``: its
    former secret, with the same of that. ``revoked_keys``: as in ``Client``; keyturn's own exports have them.
    """

    client_id: str
    representation: Mapping[str, Any]
    refused: str | None = None
    notes: tuple[str, ...] = ()
    expires_at: float | None = None
    rotated: tuple[Secret, float] | None = None
    revoked_keys: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_keycloaks_own(self) -> bool:
        """Whether Keycloak made it for itself: nobody misses it elsewhere."""
        return self.client_id in _KEYCLOAKS_OWN


def read_export(document: Mapping[str, Any]) -> list[ExportedClient]:
    """The clients of a realm export, or of a partial export. Raises InvalidRequestError if it is neither."""
    found = document.get("clients")
    if not isinstance(found, list) or not all(isinstance(client, dict) for client in found):
        raise InvalidRequestError("the export has no array of clients")
    clients = [_read_client(client) for client in found]
    names = [client.client_id for client in clients]
    if len(set(names)) != len(names):
        raise InvalidRequestError("the export has two clients of one clientId")
    return clients


def _read_client(exported: Mapping[str, Any]) -> ExportedClient:
    client_id = exported.get("clientId")
    if not isinstance(client_id, str) or not client_id:
        raise InvalidRequestError("the export has a client without a clientId")
    refused = _refusal(client_id, exported)
    if refused is not None:
        return ExportedClient(client_id, exported, refused=refused)
    representation = {name: value for name, value in exported.items() if name != REVOKED_KEYS}
    # Ids are taken over with FAIL and SKIP alike: programs know clients by them.
    notes = [f"{name} is kept, but has no effect" for name in _WITHOUT_EFFECT if exported.get(name)]
    values = exported.get("attributes")
    values = values if isinstance(values, dict) else {}
    notes += [
        f"attribute {name} is a private key and was dropped"
        for name in values
        if name.endswith(f".{attributes.PRIVATE_KEY}")
    ]
    if exported.get("publicClient") or exported.get("bearerOnly"):
        notes.append("the client is public or bearer-only: it cannot authenticate")
    secret = exported.get("secret")
    if isinstance(secret, str) and (set(secret) <= {"*"} or secret.startswith("${")):
        # Masked by the export, or kept in a vault that only Keycloak can read.
        representation.pop("secret")
        notes.append("the secret is not in the export: a new one was generated")
    return ExportedClient(
        client_id,
        representation,
        notes=tuple(notes),
        expires_at=_time(values.get(attributes.SECRET_EXPIRES)),
        rotated=_rotated(values),
        revoked_keys=_revoked_keys(exported.get(REVOKED_KEYS)),
    )


def _refusal(client_id: str, exported: Mapping[str, Any]) -> str | None:
    if client_id in _KEYCLOAKS_OWN:
        return "a client that Keycloak makes for itself"
    protocol = exported.get("protocol") or "openid-connect"
    if protocol != "openid-connect":
        return f"protocol {protocol} is not served by keyturn"
    authenticator = exported.get("clientAuthenticatorType") or AUTHENTICATORS[0]
    if authenticator not in AUTHENTICATORS:
        return f"authenticator {authenticator} is not known to keyturn"
    return None


def _rotated(values: Mapping[str, Any]) -> tuple[Secret, float] | None:
    secret, expires = values.get(attributes.ROTATED_SECRET), _time(values.get(attributes.ROTATED_EXPIRES))
    if not isinstance(secret, str) or not secret or set(secret) == {"*"} or expires is None:
        return None
    return Secret(secret), expires


def _time(value: object) -> float | None:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 12:
        return None
    return float(value) or None


def _revoked_keys(value: object) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(
        is_thumbprint(thumbprint) and isinstance(time, int | float) for thumbprint, time in value.items()
    ):
        raise InvalidRequestError(f"{REVOKED_KEYS} is an object of RFC 7638 thumbprints and their times")
    return {thumbprint: float(time) for thumbprint, time in value.items()}
