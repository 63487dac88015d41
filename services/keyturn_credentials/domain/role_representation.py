"""Roles, and the service accounts that have them, in the shapes of Keycloak's RoleRepresentation,
MappingsRepresentation and UserRepresentation. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey, composites_of, role_id, roles_of_realm
from keyturn_shared.projection import service_account_name

Uuids = Mapping[str, str]
"""UUIDs of clients by client id. A client that an import left out has none."""


def owners(keys: Iterable[RoleKey]) -> list[str]:
    """Return the ids of the clients whose roles these are."""
    return sorted({owner for owner, _ in keys if owner is not None})


def describe_role(realm: Realm, key: RoleKey, uuids: Uuids, *, is_brief: bool = True) -> dict[str, Any]:
    """Represent a role that the realm has. ``is_brief``: without its attributes."""
    owner, name = key
    known = roles_of_realm(realm)
    role = known[key]
    shown: dict[str, Any] = {"id": role_id(realm, key, role), "name": name}
    if isinstance(description := role.get("description"), str):
        shown["description"] = description
    shown["composite"] = any(each in known for each in composites_of(role))
    shown["clientRole"] = owner is not None
    shown["containerId"] = realm.id if owner is None else uuids.get(owner, owner)
    if not is_brief:
        attributes = role.get("attributes")
        shown["attributes"] = dict(attributes) if isinstance(attributes, Mapping) else {}
    return shown


def describe_roles(
    realm: Realm, keys: Iterable[RoleKey], uuids: Uuids, *, is_brief: bool = True
) -> list[dict[str, Any]]:
    """Represent those of these roles that the realm has, in order of their names."""
    known = roles_of_realm(realm)
    there = sorted((key for key in keys if key in known), key=lambda key: (key[1], key[0] or ""))
    return [describe_role(realm, key, uuids, is_brief=is_brief) for key in there]


def describe_mappings(realm: Realm, keys: Iterable[RoleKey], uuids: Uuids) -> dict[str, Any]:
    """Represent roles by whose they are."""
    given = list(keys)
    shown: dict[str, Any] = {}
    if of_realm := describe_roles(realm, (key for key in given if key[0] is None), uuids):
        shown["realmMappings"] = of_realm
    by_client = {}
    for owner in owners(given):
        if roles := describe_roles(realm, (key for key in given if key[0] == owner), uuids):
            by_client[owner] = {"id": uuids.get(owner, owner), "client": owner, "mappings": roles}
    if by_client:
        shown["clientMappings"] = by_client
    return shown


def matching(realm: Realm, keys: Iterable[RoleKey], search: str) -> list[RoleKey]:
    """Return the roles whose name or description has this part, in any case."""
    part = search.strip().casefold()
    known = roles_of_realm(realm)
    return [
        key
        for key in keys
        if part in key[1].casefold() or part in str(known[key].get("description") or "").casefold()
    ]


def describe_user(client: Client, *, is_brief: bool = False) -> dict[str, Any]:
    """Represent a client's service account."""
    shown: dict[str, Any] = {
        "id": client.service_account_id,
        "username": service_account_name(client.client_id),
        "enabled": client.enabled,
        "emailVerified": False,
        "serviceAccountClientId": client.client_id,
    }
    if is_brief:
        return shown
    return shown | {"totp": False, "disableableCredentialTypes": [], "requiredActions": [], "notBefore": 0}
