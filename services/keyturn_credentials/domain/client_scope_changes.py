"""Changes of a realm's client scopes, and of the lists in which realms and clients have them. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from keyturn_credentials.domain.bounds import check_document
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scopes import (
    CLIENT_SCOPES,
    REALM_DEFAULT,
    REALM_OPTIONAL,
    REMOVED,
    ClientScope,
    check_realm_scopes,
    check_scope_name,
    default_scopes_of_realm,
    optional_scopes_of_realm,
    removed_scopes_of_realm,
    require_scope,
    scopes_named,
    scopes_of_realm,
    with_normal_mappers,
)
from keyturn_credentials.domain.grants import DEFAULT_SCOPES, OPTIONAL_SCOPES, check_grants, scopes_of
from keyturn_credentials.domain.private_key_guard import refuse_private_keys
from keyturn_credentials.domain.protocol_mappers import MAPPERS, OPENID_CONNECT
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.scope_mappings import without_holder
from keyturn_credentials.errors import ConflictError, InvalidRequestError

_MEMBERS: Final = frozenset({"id", "name", "description", "protocol", "attributes", MAPPERS})
"""Members of Keycloak's ClientScopeRepresentation."""


def with_new_scope(realm: Realm, representation: Mapping[str, Any]) -> tuple[Realm, ClientScope]:
    """Add a scope. Raises InvalidRequestError and ConflictError."""
    representation = _checked(representation)
    name = check_scope_name(representation.get("name"))
    scopes = scopes_of_realm(realm)
    scope_id = str(representation.get("id") or uuid4())
    if any(scope.name == name for scope in scopes):
        raise ConflictError(f"Client Scope {name} already exists")
    if any(scope.id == scope_id for scope in scopes):
        raise ConflictError(f"Client Scope with id {scope_id} already exists")
    members = {key: value for key, value in representation.items() if value is not None}
    scope = ClientScope(scope_id, name, {"protocol": OPENID_CONNECT, **members, "id": scope_id})
    kept = removed_scopes_of_realm(realm) - {name}
    return _with(realm, (*scopes, scope), kept), scope


def with_changed_scope(realm: Realm, scope_id: str, representation: Mapping[str, Any]) -> Realm:
    """Apply a PUT of this representation to a scope. Raises NotFoundError and InvalidRequestError."""
    representation = _checked(representation)
    before = require_scope(realm, scope_id)
    if representation.get("name") not in (None, before.name):
        raise InvalidRequestError(
            "a client scope cannot be renamed, because clients refer to it by name: create another one"
        )
    if representation.get("id") not in (None, scope_id):
        raise InvalidRequestError("the id of a client scope cannot be changed")
    members = {key: value for key, value in representation.items() if value is not None}
    after = replace(before, representation={**before.representation, **members})
    scopes = tuple(after if scope.id == scope_id else scope for scope in scopes_of_realm(realm))
    return _with(realm, scopes, removed_scopes_of_realm(realm))


def without_scope(realm: Realm, scope_id: str) -> Realm:
    """Remove a scope from the realm and from every client: no token is granted it any more. Raises
    NotFoundError."""
    gone = require_scope(realm, scope_id)
    scopes = tuple(scope for scope in scopes_of_realm(realm) if scope.id != scope_id)
    lists = _lists(realm)
    for names in lists.values():
        if gone.name in names:
            names.remove(gone.name)
    emptied = replace(realm, document={**realm.document, **lists})
    emptied = without_holder(emptied, client_scope=gone.name)
    return _with(emptied, scopes, removed_scopes_of_realm(realm) | {gone.name})


def with_realm_list(realm: Realm, scope_id: str, member: str, *, is_in: bool) -> Realm:
    """Put a scope into one of the realm's lists, and thereby out of the other one; or take it out. Raises
    NotFoundError and InvalidRequestError."""
    name = require_scope(realm, scope_id).name
    lists = _moved(_lists(realm), name, member, is_in=is_in)
    after = replace(realm, document={**realm.document, **lists})
    check_realm_scopes(realm, after)
    return after


def with_client_list(realm: Realm, client: Client, scope_id: str, member: str, *, is_in: bool) -> Client:
    """Do the same with the lists of a client."""
    default, optional = scopes_of(realm, client)
    lists = {DEFAULT_SCOPES: list(default), OPTIONAL_SCOPES: list(optional)}
    named = scopes_named(realm, (*default, *optional))  # some may be the client's own
    scope = next((each for each in named if each.id == scope_id), None)
    name = (scope or require_scope(realm, scope_id)).name
    after = replace(client, document={**client.document, **_moved(lists, name, member, is_in=is_in)})
    check_grants(client, after)
    return after


def _moved(lists: dict[str, list[str]], name: str, member: str, *, is_in: bool) -> dict[str, list[str]]:
    for each, names in lists.items():
        if name in names and (is_in or each == member):
            names.remove(name)
    if is_in:
        lists[member].append(name)
    return lists


def _lists(realm: Realm) -> dict[str, list[str]]:
    return {
        REALM_DEFAULT: list(default_scopes_of_realm(realm)),
        REALM_OPTIONAL: list(optional_scopes_of_realm(realm)),
    }


def _with(realm: Realm, scopes: tuple[ClientScope, ...], removed: frozenset[str]) -> Realm:
    """Return the realm with these scopes. Its lists are written out with them: a realm that names its scopes,
    but not a list, has none in it."""
    entries = [dict(scope.representation) for scope in scopes]
    entries += [{"name": name, REMOVED: True} for name in sorted(removed)]
    after = replace(realm, document={**realm.document, **_lists(realm), CLIENT_SCOPES: entries})
    check_realm_scopes(realm, after)
    check_document(after.document)
    return after


def with_scope_mappers(realm: Realm, scope_id: str, mappers: list[dict[str, Any]]) -> Realm:
    """Replace the protocol mappers of a scope. Raises NotFoundError and InvalidRequestError."""
    before = require_scope(realm, scope_id)
    after = replace(before, representation={**before.representation, MAPPERS: mappers})
    scopes = tuple(after if scope.id == scope_id else scope for scope in scopes_of_realm(realm))
    return _with(realm, scopes, removed_scopes_of_realm(realm))


def _checked(representation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the representation as it is stored. Raises InvalidRequestError."""
    for name in representation:
        if name not in _MEMBERS:
            raise InvalidRequestError(f'unrecognized field "{name[:100]}"')
    values = representation.get("attributes")
    if values is not None and not (
        isinstance(values, Mapping)
        and all(isinstance(text, str) for text in values.values() if text is not None)
    ):
        raise InvalidRequestError("attributes must be an object with string values")
    for name in ("id", "description", "protocol"):
        if not isinstance(representation.get(name, ""), str | None):
            raise InvalidRequestError(f"{name} must be a string")
    refuse_private_keys(representation)
    if representation.get("protocol") not in (None, "", OPENID_CONNECT):
        raise InvalidRequestError("protocol: only openid-connect is served")
    checked: Mapping[str, Any] = with_normal_mappers([representation])[0]
    return checked
