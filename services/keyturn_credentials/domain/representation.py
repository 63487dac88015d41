"""Conversion of Keycloak's ClientRepresentation and RealmRepresentation to and from domain values. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.authenticators import AUTHENTICATORS
from keyturn_credentials.domain.bounds import (
    check_document,
    check_list,
    check_text,
)
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_ids import check_client_id
from keyturn_credentials.domain.client_members import CLIENT_ATTRIBUTES, CLIENT_MEMBERS
from keyturn_credentials.domain.client_scopes import (
    CLIENT_SCOPES,
    REALM_DEFAULT,
    REALM_OPTIONAL,
    check_realm_scopes,
    with_normal_mappers,
)
from keyturn_credentials.domain.coercion import BOOLEANS, coerced
from keyturn_credentials.domain.grants import DEFAULT_SCOPES, OPTIONAL_SCOPES, check_grants, scopes_of
from keyturn_credentials.domain.imported_realm import with_unsaid
from keyturn_credentials.domain.mapper_effects import check_effects
from keyturn_credentials.domain.members import refuse_unknown, refuse_without_effect
from keyturn_credentials.domain.merging import merge_attributes, merge_members
from keyturn_credentials.domain.private_key_guard import REALM_MEMBERS
from keyturn_credentials.domain.protocol_mappers import (
    MAPPERS,
    MAX_CLIENT_BYTES,
    mappers_in,
    normal,
    require_small,
)
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.realm_keys import DEFAULT_SIGNATURE_ALG, settle_signing_alg, signing_alg
from keyturn_credentials.domain.realm_members import REALM_MEMBERS as REALM_TABLE
from keyturn_credentials.domain.redirect_uris import check_redirect_uris
from keyturn_credentials.domain.role_catalogue import ROLES, check_roles, with_lasting_ids
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.domain.token_ending import check_not_before
from keyturn_credentials.domain.trusted_issuer_changes import with_given_issuers
from keyturn_credentials.domain.trusted_issuers import (
    IDENTITY_PROVIDERS,
    describe_issuer,
    issuers_of_realm,
)
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.secret import Secret

ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}\Z")

_CLIENT_COLUMNS: Final = frozenset(
    {"id", "clientId", "enabled", "clientAuthenticatorType", "attributes", "secret", "access"}
    | {"registrationAccessToken"}
)
_REALM_COLUMNS: Final = (
    frozenset({"id", "realm", "enabled", "attributes", "clients", IDENTITY_PROVIDERS}) | REALM_MEMBERS
)
_REALM_NAMES: Final = ("displayName", "displayNameHtml")

_CATALOGUE: Final = frozenset({CLIENT_SCOPES, REALM_DEFAULT, REALM_OPTIONAL, ROLES, IDENTITY_PROVIDERS})

_TEXTS: Final = frozenset(
    {"adminUrl", "baseUrl", "clientAuthenticatorType", "clientId", "description", "id", "name", "protocol"}
    | {"realm", "rootUrl", "secret", "displayName", "sslRequired"}
)
_NAME_LISTS: Final = frozenset({"defaultClientScopes", "optionalClientScopes", "redirectUris", "webOrigins"})

# Keycloak's values for a client created with nothing but a clientId, except that service accounts are
# enabled, since clients here exist to request tokens for themselves.
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
}


def client_from(representation: Mapping[str, Any], *, uuid: str, realm_id: str) -> Client:
    """Create a client. ``uuid`` is used without an ``id``. Raises InvalidRequestError."""
    representation = coerced(representation)
    _check_types(representation)
    client_id = representation.get("clientId")
    if client_id is None:
        raise InvalidRequestError("clientId is required")
    check_client_id(client_id)
    chosen = representation.get("id") or uuid
    if not ID.match(chosen):
        raise InvalidRequestError("id must be 1 to 36 characters long: letters, digits or '-'")
    blank = Client(uuid=chosen, realm_id=realm_id, client_id=client_id)
    return _change(blank, {name: value for name, value in representation.items() if name != "id"})


def change_client(client: Client, representation: Mapping[str, Any]) -> Client:
    """Apply a PUT of this representation to a client, except its secrets.

    As in Keycloak, an absent or null member keeps its value, and an empty value removes an attribute.
    Keycloak's attributes for private keys are dropped, private keys elsewhere are refused: keyturn stores
    none. Raises InvalidRequestError.
    """
    representation = coerced(representation)
    _check_types(representation)
    return _change(client, representation)


def _change(client: Client, representation: Mapping[str, Any]) -> Client:
    refuse_unknown(representation, CLIENT_MEMBERS, client.document)
    refuse_without_effect(representation, CLIENT_MEMBERS, client.document)
    authenticator = representation.get("clientAuthenticatorType") or client.authenticator
    if authenticator not in AUTHENTICATORS:
        raise InvalidRequestError(f"clientAuthenticatorType must be one of {', '.join(AUTHENTICATORS)}")
    if representation.get("id") not in (None, client.uuid):
        raise InvalidRequestError("the id of a client cannot be changed")
    enabled = representation.get("enabled")
    rest = {name: value for name, value in representation.items() if name not in _CLIENT_COLUMNS}
    if rest.get(MAPPERS) is not None and rest[MAPPERS] != client.document.get(MAPPERS):
        rest[MAPPERS] = normal(rest[MAPPERS])
    changed = replace(
        client,
        client_id=client.client_id if representation.get("clientId") is None else representation["clientId"],
        enabled=client.enabled if enabled is None else enabled,
        authenticator=authenticator,
        attributes=merge_attributes(client.attributes, representation.get("attributes")),
        document=merge_members(client.document, rest),
    )
    refuse_without_effect(changed.attributes, CLIENT_ATTRIBUTES, client.attributes, kind="attribute ")
    _check_full_scope(client, changed)
    check_redirect_uris(client.document, changed.document)
    _check_mappers(client, changed)
    _check_key_sets(client, changed)
    if changed.client_id != client.client_id:
        check_client_id(changed.client_id)
    check_grants(client, changed)
    return changed


def with_client_mappers(client: Client, mappers: list[dict[str, Any]]) -> Client:
    """Replace the protocol mappers of a client. Raises InvalidRequestError."""
    after = replace(client, document={**client.document, MAPPERS: mappers})
    check_document(after.document)
    _check_mappers(client, after)
    return after


def _check_mappers(before: Client, after: Client) -> None:
    """Raise InvalidRequestError for protocol mappers that no client may have, unless it had them before."""
    known, mappers = (mappers_in(each.document, after.uuid) for each in (before, after))
    if mappers != known:
        check_effects(mappers, known)
        require_small(mappers, known, MAX_CLIENT_BYTES)


def realm_from(representation: Mapping[str, Any], *, realm_id: str) -> Realm:
    """Create a realm. Raises InvalidRequestError."""
    representation = coerced(representation)
    _check_types(representation)
    name = representation.get("realm")
    if not name:
        raise InvalidRequestError("realm is required: the name of the new realm")
    chosen = representation.get("id") or realm_id
    if not ID.match(chosen):
        raise InvalidRequestError("id must be 1 to 36 characters long: letters, digits or '-'")
    whole = with_unsaid(representation)
    return change_realm(Realm(chosen, name), {key: value for key, value in whole.items() if key != "id"})


def change_realm(realm: Realm, representation: Mapping[str, Any]) -> Realm:
    """Apply a PUT of this representation to a realm. Raises InvalidRequestError."""
    representation = coerced(representation)
    _check_types(representation)
    refuse_unknown(representation, REALM_TABLE, realm.document)
    refuse_without_effect(representation, REALM_TABLE, realm.document)
    if representation.get("id") not in (None, realm.id):
        raise InvalidRequestError("the id of a realm cannot be changed")
    if representation.get("realm") == "":
        raise InvalidRequestError("realm must not be empty: it is the name of the realm")
    enabled = representation.get("enabled")
    rest = {name: value for name, value in representation.items() if name not in _REALM_COLUMNS}
    if rest.get(CLIENT_SCOPES) != realm.document.get(CLIENT_SCOPES) and CLIENT_SCOPES in rest:
        rest[CLIENT_SCOPES] = with_normal_mappers(rest[CLIENT_SCOPES])
    changed = replace(
        realm,
        name=representation.get("realm") or realm.name,
        enabled=realm.enabled if enabled is None else enabled,
        attributes=merge_attributes(realm.attributes, representation.get("attributes")),
        document=merge_members(realm.document, rest),
    )
    check_realm_scopes(realm, changed)
    check_roles(realm, changed)
    changed = with_lasting_ids(realm, changed)
    changed = with_given_issuers(changed, representation.get(IDENTITY_PROVIDERS))
    return settle_signing_alg(realm, changed, representation.get(DEFAULT_SIGNATURE_ALG))


def describe_client(client: Client, realm: Realm, *, show_secret: bool, now: float) -> dict[str, Any]:
    """Represent a client like Keycloak. The secret is masked if ``show_secret`` is false, or only its digest
    is stored."""
    default, optional = scopes_of(realm, client)
    shown: dict[str, Any] = {
        "id": client.uuid,
        "clientId": client.client_id,
        "enabled": client.enabled,
        "clientAuthenticatorType": client.authenticator,
        **_CLIENT_DEFAULTS,
        **client.document,
        DEFAULT_SCOPES: list(default),
        OPTIONAL_SCOPES: list(optional),
        "attributes": {**client.attributes, **_secret_attributes(client.secrets, now)},
    }
    if client.document.get(MAPPERS):
        shown[MAPPERS] = mappers_in(client.document, client.uuid)
    if client.secrets.current is not None and client.is_confidential:
        shown["secret"] = shown_secret(client.secrets.current, show=show_secret)
    return shown


def describe_realm_briefly(realm: Realm) -> dict[str, Any]:
    """Represent a realm like Keycloak for a caller that asks for its names only."""
    named = {name: realm.document[name] for name in _REALM_NAMES if realm.document.get(name) is not None}
    return {"id": realm.id, "realm": realm.name, "enabled": realm.enabled, **named}


def describe_realm(realm: Realm, *, with_catalogue: bool = False) -> dict[str, Any]:
    """Represent a realm like Keycloak. ``with_catalogue``: with what has addresses of its own, as in an
    export."""
    issuers = [describe_issuer(issuer) for issuer in issuers_of_realm(realm)] if with_catalogue else []
    return {
        "id": realm.id,
        "realm": realm.name,
        "enabled": realm.enabled,
        "accessTokenLifespan": realm.access_token_lifespan,
        "notBefore": 0,
        **{name: value for name, value in realm.document.items() if with_catalogue or name not in _CATALOGUE},
        **({IDENTITY_PROVIDERS: issuers} if issuers else {}),
        DEFAULT_SIGNATURE_ALG: signing_alg(realm),
        "attributes": dict(realm.attributes),
    }


def shown_secret(stored: StoredSecret, *, show: bool) -> str:
    """Return the secret, or the mask if the caller may not see it or only its digest is stored."""
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


def _check_full_scope(before: Client, after: Client) -> None:
    """Raise if full scope is disabled. In Keycloak such a client has only individually mapped roles in its
    tokens."""
    roles = after.attributes.get(attributes.ADMIN_ROLES)
    was = (before.document.get("fullScopeAllowed"), before.attributes.get(attributes.ADMIN_ROLES))
    if roles and after.document.get("fullScopeAllowed") is False and was != (False, roles):
        raise InvalidRequestError(f"fullScopeAllowed false contradicts {attributes.ADMIN_ROLES}")


def _check_key_sets(before: Client, after: Client) -> None:
    has_two, had_two = (attributes.names_two_key_sets(each.attributes) for each in (after, before))
    if has_two and not had_two:
        raise InvalidRequestError(
            f"{attributes.USE_JWKS_URL} contradicts {attributes.USE_JWKS_STRING}: set one of them to false"
        )


def _check_types(representation: Mapping[str, Any]) -> None:
    check_not_before(representation)
    for name, value in representation.items():
        if value is None:
            continue
        if name in BOOLEANS and not isinstance(value, bool):
            raise InvalidRequestError(f"{name} must be a boolean")
        if name in _TEXTS and (not isinstance(value, str) or "\0" in value):
            raise InvalidRequestError(f"{name} must be a string")
        if name in _TEXTS:
            check_text(name, value)
        if name in _NAME_LISTS and not (
            isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        ):
            raise InvalidRequestError(f"{name} must be an array of strings")
        if name in _NAME_LISTS:
            check_list(name, value)
