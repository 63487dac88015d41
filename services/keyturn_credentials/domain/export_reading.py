"""Parsing of Keycloak realm exports: the realm, its clients, and notes on what cannot be imported. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from keyturn_credentials.domain import attributes, left_out
from keyturn_credentials.domain.authenticators import AUTHENTICATORS
from keyturn_credentials.domain.client_keys import is_thumbprint
from keyturn_credentials.domain.coercion import coerced
from keyturn_credentials.domain.import_notes import PLACEHOLDER
from keyturn_credentials.domain.service_account import (
    ServiceAccount,
    limits_in,
    service_accounts_in,
    without_foreign_id,
)
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.secret import Secret

REVOKED_KEYS: Final = "keyturnRevokedKeys"
"""Member of clients in keyturn's own exports: RFC 7638 thumbprint to time of revocation."""
# An earlier build accepted any 43 characters. Those that are not a thumbprint are left out.
_THUMBPRINT_OF_ANY_BUILD: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_KEYCLOAKS_OWN: Final = frozenset(
    {"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}
)
_MASTER: Final = "master"
_OF_A_REALM: Final = "-realm"
_OF_PARTIAL_IMPORT: Final = ("ifResourceExists",)
_ACCOUNTS: Final = "serviceAccountsEnabled"
_GROUPS_SHOWN: Final = 5
_SHOWN: Final = 200
_NOT_THERE: Final = "the secret is not in the export"
OWN_CLIENT: Final = "a client that Keycloak creates for itself"
"""Reason for the refusal of a client that nobody misses elsewhere."""


@dataclass(frozen=True, slots=True)
class ExportedClient:
    """One client of an export. ``refused``: why it is not taken over at all; ``notes``: what of it is not.

    ``is_keycloaks_own``: Keycloak made it for itself, so nobody misses it elsewhere. ``no_secret``: why its
    secret is not known, None where it is. ``created_at``, ``expires_at``: NumericDate seconds from and until
    which its secret is valid, None for unknown and without an end; ``rotated``: its former secret, with the
    end of that, and ``rotated_created_at``. ``revoked_keys``: as in ``Client``, of keyturn's own exports.
    ``service_account``: of its user in the export, if there is one.
    """

    client_id: str
    representation: Mapping[str, Any]
    refused: str | None = None
    notes: tuple[str, ...] = ()
    is_keycloaks_own: bool = False
    no_secret: str | None = None
    created_at: float | None = None
    expires_at: float | None = None
    rotated: tuple[Secret, float] | None = None
    rotated_created_at: float | None = None
    revoked_keys: Mapping[str, float] = field(default_factory=dict)
    service_account: ServiceAccount | None = None


@dataclass(frozen=True, slots=True)
class ExportedRealm:
    """An export. ``name``: None if it has none. ``settings``: the supported part of the realm's
    representation, including its clients; ``notes``: what was left out. ``has_settings``: False if the export
    contains only clients."""

    name: str | None
    settings: Mapping[str, Any]
    notes: tuple[str, ...]
    clients: tuple[ExportedClient, ...]

    @property
    def has_settings(self) -> bool:
        return not self.settings.keys() <= {"clients", "id", "realm", "users"}


def read_realm(document: Mapping[str, Any]) -> ExportedRealm:
    """Parse a realm export, including any clients. Raises InvalidRequestError."""
    settings = dict(
        coerced({name: value for name, value in document.items() if name not in _OF_PARTIAL_IMPORT})
    )
    name = settings.get("realm")
    if name is not None and not isinstance(name, str):
        raise InvalidRequestError("realm must be a string")
    notes = left_out.of_realm(settings)
    clients = read_export(document) if document.get("clients") is not None else []
    return ExportedRealm(name or None, settings, tuple(notes), tuple(clients))


def read_export(document: Mapping[str, Any]) -> list[ExportedClient]:
    """Parse the clients of a realm export or a partial export. Raises InvalidRequestError if it is
    neither."""
    found = document.get("clients")
    if not isinstance(found, list) or not all(isinstance(client, dict) for client in found):
        raise InvalidRequestError("the export has no clients array")
    is_of_master = document.get("realm") == _MASTER
    accounts = service_accounts_in(document)
    read = [_read_client(client, index, is_of_master) for index, client in enumerate(found)]
    limits = limits_in(document)
    clients = [_limited(each, limits) for each in _with_accounts(read, accounts)]
    seen: dict[str, int] = {}
    for index, client in enumerate(clients):
        if (first := seen.setdefault(client.client_id, index)) != index:
            raise InvalidRequestError(
                f"the export has two clients with the clientId {client.client_id[:100]}:"
                f" clients[{first}] and clients[{index}]"
            )
    return clients


def _with_accounts(
    clients: Iterable[ExportedClient], accounts: Mapping[str, ServiceAccount]
) -> Iterator[ExportedClient]:
    """Yield the clients with their service accounts, each with an id of its own."""
    taken: set[str] = set()
    for client in clients:
        account = accounts.get(client.client_id)
        if account is None or client.refused is not None:
            yield client
            continue
        own, notes = without_foreign_id(account, taken)
        if own.id is not None:
            taken.add(own.id)
        yield replace(client, service_account=own, notes=(*client.notes, *notes))


def _limited(client: ExportedClient, limits: Mapping[str, tuple[bool, list[str]]]) -> ExportedClient:
    """Return the client without tokens if its service account is disabled, and with notes on that and on
    groups, which do not exist here."""
    is_disabled, groups = limits.get(client.client_id, (False, []))
    representation, notes = client.representation, list(client.notes)
    if is_disabled and representation.get(_ACCOUNTS):
        representation = {**representation, _ACCOUNTS: False}
        notes.append(f"its service account is disabled: {_ACCOUNTS} is set to false")
    if groups:
        named = ", ".join(groups[:_GROUPS_SHOWN])[:_SHOWN]
        notes.append(f"its service account is in groups: the roles of {named} are left out")
    return replace(client, representation=representation, notes=tuple(notes))


def _read_client(exported: Mapping[str, Any], index: int, is_of_master: bool) -> ExportedClient:
    exported = coerced(exported)
    client_id = exported.get("clientId")
    if not isinstance(client_id, str) or not client_id:
        raise InvalidRequestError(f"the export has a client without a clientId: clients[{index}]")
    if _is_keycloaks_own(client_id, exported, is_of_master):
        return ExportedClient(client_id, exported, refused=OWN_CLIENT, is_keycloaks_own=True)
    refused = _refusal(client_id, exported)
    if refused is not None:
        return ExportedClient(client_id, exported, refused=refused)
    representation = {name: value for name, value in exported.items() if name != REVOKED_KEYS}
    notes = left_out.of_client(representation)
    values = exported.get("attributes")
    values = values if isinstance(values, dict) else {}
    notes += left_out.private_keys(values)
    if exported.get("publicClient") or exported.get("bearerOnly"):
        notes.append("the client is public or bearer-only: it cannot authenticate")
    no_secret = _no_secret(representation.get("secret"))
    if no_secret is not None:
        representation.pop("secret", None)
    named = _revoked_keys(exported.get(REVOKED_KEYS))
    revoked = {thumbprint: time for thumbprint, time in named.items() if is_thumbprint(thumbprint)}
    if len(revoked) < len(named):
        notes.append(
            f"{len(named) - len(revoked)} of {REVOKED_KEYS} are not key thumbprints and were dropped"
        )
    return ExportedClient(
        client_id=client_id,
        representation=representation,
        notes=tuple(notes),
        no_secret=no_secret,
        created_at=_time(values.get(attributes.SECRET_CREATED)),
        expires_at=_time(values.get(attributes.SECRET_EXPIRES)),
        rotated=_rotated(values),
        rotated_created_at=_time(values.get(attributes.ROTATED_CREATED)),
        revoked_keys=revoked,
    )


def _no_secret(secret: object) -> str | None:
    """Return the reason if this is not a secret (absent, masked by the export, or a placeholder), else
    None."""
    if secret is None or secret == "" or (isinstance(secret, str) and set(secret) <= {"*"}):
        return _NOT_THERE
    if isinstance(secret, str) and PLACEHOLDER.match(secret.strip()):
        return f"{_NOT_THERE} but a placeholder"  # whose default, if it has one, is a secret
    return None


def _is_keycloaks_own(client_id: str, exported: Mapping[str, Any], is_of_master: bool) -> bool:
    """Return whether Keycloak created the client for itself. Realm ``master`` also has such a client for each
    realm."""
    if client_id in _KEYCLOAKS_OWN:
        return True
    realm = client_id.removesuffix(_OF_A_REALM)
    if realm == client_id or exported.get("bearerOnly") is not True:
        return False
    return is_of_master or exported.get("name") == f"{realm} Realm"


def _refusal(client_id: str, exported: Mapping[str, Any]) -> str | None:
    if PLACEHOLDER.match(client_id):
        return "its clientId is a placeholder that was not replaced"
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
        _THUMBPRINT_OF_ANY_BUILD.match(thumbprint) and isinstance(time, int | float)
        for thumbprint, time in value.items()
    ):
        raise InvalidRequestError(f"{REVOKED_KEYS} must be an object that maps RFC 7638 thumbprints to times")
    return {thumbprint: float(time) for thumbprint, time in value.items()}
