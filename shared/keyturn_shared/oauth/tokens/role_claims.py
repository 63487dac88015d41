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
    held = _expanded(realm, _given(realm, client))
    if not client.full_scope:
        held &= _in_scope(realm, client)
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


def _given(realm: RealmProjection, client: ClientProjection) -> Iterable[HeldRole]:
    """Return the roles by their ids, which are never those of a later role of the same name. Projections of
    earlier builds have only names."""
    if client.role_ids is None or not realm.roles_by_id:
        return _each(client.roles)
    return (realm.roles_by_id[each] for each in client.role_ids if each in realm.roles_by_id)


def _expanded(realm: RealmProjection, roles: Iterable[HeldRole]) -> set[HeldRole]:
    """Return those of the roles that the realm has, with what they are composed of."""
    found: set[HeldRole] = set()
    for owner, name in roles:
        known = realm.realm_roles if owner is None else realm.client_roles.get(owner, {})
        inner = known.get(name)
        if inner is not None:
            found.add((owner, name))
            found.update(_each(inner))
    return found


def _in_scope(realm: RealmProjection, client: ClientProjection) -> set[HeldRole]:
    own = ((client.client_id, name) for name in realm.client_roles.get(client.client_id, {}))
    mapped = _each(realm.scope_mappings.get(client.client_id, RoleSet()))
    return _expanded(realm, (*own, *mapped))


def _each(roles: RoleSet) -> Iterable[HeldRole]:
    yield from ((None, name) for name in roles.realm)
    for owner, names in roles.client.items():
        yield from ((owner, name) for name in names)
