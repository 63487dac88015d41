"""Roles in access tokens: Keycloak's claims ``realm_access`` and ``resource_access``. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from keyturn_shared.projection import ClientProjection, RealmProjection, RoleSet

REALM_ACCESS: Final = "realm_access"
RESOURCE_ACCESS: Final = "resource_access"
_ROLES: Final = "roles"

HeldRole = tuple[str | None, str]
"""The id of the client whose role it is, None for the realm's, and its name."""


def held_roles(realm: RealmProjection, client: ClientProjection) -> frozenset[HeldRole]:
    """Return the roles that a client's service account has, with those that they are composed of. A role that
    the realm does not have is none. Without full scope, only roles in the client's scope count."""
    held: set[HeldRole] = set()
    for owner, name in _each(client.roles):
        known = realm.realm_roles if owner is None else realm.client_roles.get(owner, {})
        inner = known.get(name)
        if inner is not None:
            held.add((owner, name))
            held.update(_each(inner))
    if not client.full_scope:
        return frozenset(held & _in_scope(realm, client))
    return frozenset(held)


def claims_of(roles: frozenset[HeldRole]) -> dict[str, Any]:
    """Return the claims for these roles; none for no roles."""
    claims: dict[str, Any] = {}
    by_client: dict[str, dict[str, list[str]]] = {}
    for owner, name in sorted(roles, key=lambda role: (role[0] or "", role[1])):
        if owner is None:
            claims.setdefault(REALM_ACCESS, {_ROLES: []})[_ROLES].append(name)
        else:
            by_client.setdefault(owner, {_ROLES: []})[_ROLES].append(name)
    if by_client:
        claims[RESOURCE_ACCESS] = by_client
    return claims


def without_lost(claims: Mapping[str, Any], held: frozenset[HeldRole]) -> dict[str, Any] | None:
    """Return the claims of a token of the realm without roles that were taken away since; None if all of them
    are still held."""
    stated = _stated(claims)
    if stated <= held:
        return None
    rest = {name: value for name, value in claims.items() if name not in (REALM_ACCESS, RESOURCE_ACCESS)}
    return rest | claims_of(frozenset(stated & held))


def _stated(claims: Mapping[str, Any]) -> set[HeldRole]:
    found: set[HeldRole] = {(None, name) for name in claims.get(REALM_ACCESS, {}).get(_ROLES, ())}
    for owner, access in claims.get(RESOURCE_ACCESS, {}).items():
        found.update((owner, name) for name in access.get(_ROLES, ()))
    return found


def _in_scope(realm: RealmProjection, client: ClientProjection) -> set[HeldRole]:
    scope: set[HeldRole] = {(client.client_id, name) for name in realm.client_roles.get(client.client_id, {})}
    for owner, name in _each(realm.scope_mappings.get(client.client_id, RoleSet())):
        known = realm.realm_roles if owner is None else realm.client_roles.get(owner, {})
        scope.add((owner, name))
        scope.update(_each(known.get(name, RoleSet())))
    return scope


def _each(roles: RoleSet) -> Iterable[HeldRole]:
    yield from ((None, name) for name in roles.realm)
    for owner, names in roles.client.items():
        yield from ((owner, name) for name in names)
