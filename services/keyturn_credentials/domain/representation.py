"""Keycloak's ClientRepresentation and RealmRepresentation to and from our values. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import AUTHENTICATORS, Client
from keyturn_credentials.domain.private_material import REALM_MEMBERS, refuse_private_keys
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.secret import Secret

_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}\Z")
MAX_ATTRIBUTES: Final = 500
MAX_ATTRIBUTE_NAME: Final = 255

_CLIENT_COLUMNS: Final = frozenset(
    {"id", "clientId", "enabled", "clientAuthenticatorType", "attributes", "secret", "access"}
    | {"registrationAccessToken"}
)
_REALM_COLUMNS: Final = frozenset({"id", "realm", "enabled", "attributes", "clients"}) | REALM_MEMBERS

_BOOLEANS: Final = frozenset(
    {"alwaysDisplayInConsole", "authorizationServicesEnabled", "bearerOnly", "consentRequired"}
    | {"directAccessGrantsEnabled", "enabled", "frontchannelLogout", "fullScopeAllowed", "publicClient"}
    | {"implicitFlowEnabled", "serviceAccountsEnabled", "standardFlowEnabled", "surrogateAuthRequired"}
)
_TEXTS: Final = frozenset(
    {"adminUrl", "baseUrl", "clientAuthenticatorType", "clientId", "description", "id", "name", "protocol"}
    | {"realm", "rootUrl", "secret", "displayName", "sslRequired"}
)
_NAME_LISTS: Final = frozenset({"defaultClientScopes", "optionalClientScopes", "redirectUris", "webOrigins"})

# What Keycloak shows for a client made with nothing but a clientId; service accounts are on here, since
# asking for tokens of their own is what clients are kept here for.
_CLIENT_DEFAULTS: Final[Mapping[str, Any]] = {
    "surrogateAuthRequired": False,
    "alwaysDisplayInConsole": False,
    "redirectUris": [],
    "webOrigins": [],
    "notBefore": 0,
    "bearerOnly": False,
    "consentRequired": False,
    "standardFlowEnabled": True,
    "implicitFlowEnabled": False,
    "directAccessGrantsEnabled": False,
    "serviceAccountsEnabled": True,
    "publicClient": False,
    "frontchannelLogout": False,
    "protocol": "openid-connect",
    "authenticationFlowBindingOverrides": {},
    "fullScopeAllowed": True,
    "nodeReRegistrationTimeout": -1,
    "defaultClientScopes": [],
    "optionalClientScopes": [],
}


def client_from(representation: Mapping[str, Any], *, uuid: str, realm_id: str) -> Client:
    """A new client. ``uuid`` is for one without an ``id``. Raises InvalidRequestError."""
    _check_types(representation)
    client_id = representation.get("clientId")
    if client_id is None:
        raise InvalidRequestError("clientId is missing")
    chosen = representation.get("id") or uuid
    if not _ID.match(chosen):
        raise InvalidRequestError("id has 1 to 36 letters, digits and '-'")
    blank = Client(uuid=chosen, realm_id=realm_id, client_id=client_id)
    return change_client(blank, {name: value for name, value in representation.items() if name != "id"})


def change_client(client: Client, representation: Mapping[str, Any]) -> Client:
    """The client as a PUT of this representation leaves it, secrets apart.

    As in Keycloak, a member that is absent or null stays as it was, an attribute with an empty value goes.
    Keycloak's attributes for private keys are dropped, private keys elsewhere are refused: keyturn keeps
    none. Raises InvalidRequestError.
    """
    _check_types(representation)
    authenticator = representation.get("clientAuthenticatorType") or client.authenticator
    if authenticator not in AUTHENTICATORS:
        raise InvalidRequestError(f"clientAuthenticatorType is one of {', '.join(AUTHENTICATORS)}")
    if representation.get("id") not in (None, client.uuid):
        raise InvalidRequestError("the id of a client cannot be changed")
    enabled = representation.get("enabled")
    rest = {name: value for name, value in representation.items() if name not in _CLIENT_COLUMNS}
    return replace(
        client,
        client_id=client.client_id if representation.get("clientId") is None else representation["clientId"],
        enabled=client.enabled if enabled is None else enabled,
        authenticator=authenticator,
        attributes=_merge_attributes(client.attributes, representation.get("attributes")),
        document=_merge(client.document, rest),
    )


def realm_from(representation: Mapping[str, Any], *, realm_id: str) -> Realm:
    """A new realm. Raises InvalidRequestError."""
    _check_types(representation)
    name = representation.get("realm")
    if not name:
        raise InvalidRequestError("realm is missing: it is the new realm's name")
    chosen = representation.get("id") or realm_id
    if not _ID.match(chosen):
        raise InvalidRequestError("id has 1 to 36 letters, digits and '-'")
    return change_realm(
        Realm(chosen, name), {key: value for key, value in representation.items() if key != "id"}
    )


def change_realm(realm: Realm, representation: Mapping[str, Any]) -> Realm:
    """The realm as a PUT of this representation leaves it. Raises InvalidRequestError."""
    _check_types(representation)
    if representation.get("id") not in (None, realm.id):
        raise InvalidRequestError("the id of a realm cannot be changed")
    enabled = representation.get("enabled")
    rest = {name: value for name, value in representation.items() if name not in _REALM_COLUMNS}
    return replace(
        realm,
        name=representation.get("realm") or realm.name,
        enabled=realm.enabled if enabled is None else enabled,
        attributes=_merge_attributes(realm.attributes, representation.get("attributes")),
        document=_merge(realm.document, rest),
    )


def describe_client(client: Client, *, show_secret: bool, now: float) -> dict[str, Any]:
    """As Keycloak shows a client. Where ``show_secret`` is false, or only a digest is kept, the secret is
    masked."""
    shown: dict[str, Any] = {
        "id": client.uuid,
        "clientId": client.client_id,
        "enabled": client.enabled,
        "clientAuthenticatorType": client.authenticator,
        **_CLIENT_DEFAULTS,
        **client.document,
        "attributes": {**client.attributes, **_secret_attributes(client.secrets, now)},
    }
    if client.secrets.current is not None and client.is_confidential:
        shown["secret"] = shown_secret(client.secrets.current, show=show_secret)
    return shown


def describe_realm(realm: Realm) -> dict[str, Any]:
    """As Keycloak shows a realm."""
    return {
        "id": realm.id,
        "realm": realm.name,
        "enabled": realm.enabled,
        "accessTokenLifespan": realm.access_token_lifespan,
        **realm.document,
        "attributes": dict(realm.attributes),
    }


def shown_secret(stored: StoredSecret, *, show: bool) -> str:
    """The secret, or the mask for who may not see it or where nobody can."""
    return stored.secret.reveal() if show and stored.secret is not None else Secret.MASK


def _secret_attributes(secrets: ClientSecrets, now: float) -> dict[str, str]:
    shown: dict[str, str] = {}
    if secrets.current is not None:
        shown[attributes.SECRET_CREATED] = str(int(secrets.current.created_at))
        if secrets.current.expires_at is not None:
            shown[attributes.SECRET_EXPIRES] = str(int(secrets.current.expires_at))
    if secrets.rotated is not None and secrets.rotated.is_valid(now):
        shown[attributes.ROTATED_CREATED] = str(int(secrets.rotated.created_at))
        if secrets.rotated.expires_at is not None:
            shown[attributes.ROTATED_EXPIRES] = str(int(secrets.rotated.expires_at))
    return shown


def _merge(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    refuse_private_keys(changes)
    return {**before, **{name: value for name, value in changes.items() if value is not None}}


def _merge_attributes(before: Mapping[str, str], changes: object) -> dict[str, str]:
    merged = dict(before)
    if changes is None:
        return merged
    if not isinstance(changes, Mapping):
        raise InvalidRequestError("attributes is an object of strings")
    for name, value in changes.items():
        text = _attribute_text(name, value)
        if name in attributes.MANAGED or name.endswith(f".{attributes.PRIVATE_KEY}"):
            continue
        if text:
            merged[name] = text
        else:
            merged.pop(name, None)
    refuse_private_keys({name: text for name, text in merged.items() if before.get(name) != text})
    if len(merged) > MAX_ATTRIBUTES:
        raise InvalidRequestError(f"more than {MAX_ATTRIBUTES} attributes")
    return merged


def _attribute_text(name: str, value: object) -> str:
    if not 0 < len(name) <= MAX_ATTRIBUTE_NAME or any(character < " " for character in name):
        raise InvalidRequestError(f"an attribute's name has 1 to {MAX_ATTRIBUTE_NAME} printable characters")
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            if "\0" in value:
                raise InvalidRequestError(f"attribute {name} has a NUL character in it")
            return value
        case _:
            raise InvalidRequestError(f"attribute {name} is not a string")


def _check_types(representation: Mapping[str, Any]) -> None:
    for name, value in representation.items():
        if value is None:
            continue
        if name in _BOOLEANS and not isinstance(value, bool):
            raise InvalidRequestError(f"{name} is true or false")
        if name in _TEXTS and (not isinstance(value, str) or "\0" in value):
            raise InvalidRequestError(f"{name} is a string")
        if name in _NAME_LISTS and not (
            isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        ):
            raise InvalidRequestError(f"{name} is an array of strings")
