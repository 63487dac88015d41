"""Roles that a client's service account has. Pure."""

from collections.abc import Iterable

from keyturn_shared.projection import ClientProjection, RealmProjection, RoleSet

HeldRole = tuple[str | None, str]
"""The id of the client whose role it is, None for the realm's, and its name."""


def held_roles(realm: RealmProjection, client: ClientProjection) -> frozenset[HeldRole]:
    """Return the roles that a client's service account has, with those that they are composed of. A role that
    the realm does not have is none."""
    return frozenset(_expanded(realm, _given(realm, client)))


def roles_in_scope(realm: RealmProjection, client: ClientProjection) -> frozenset[HeldRole]:
    """Return the roles that a client without full scope may have whatever its client scopes are: its own, and
    those of its scope mappings."""
    own = ((client.client_id, name) for name in realm.client_roles.get(client.client_id, {}))
    mapped = _each(realm.scope_mappings.get(client.client_id, RoleSet()))
    return frozenset(_expanded(realm, (*own, *mapped)))


def roles_of_scope(realm: RealmProjection, name: str) -> frozenset[HeldRole]:
    """Return the roles that a client scope brings into scope."""
    mapped = realm.client_scope_roles.get(name)
    return frozenset() if mapped is None else frozenset(_expanded(realm, _each(mapped)))


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


def _each(roles: RoleSet) -> Iterable[HeldRole]:
    yield from ((None, name) for name in roles.realm)
    for owner, names in roles.client.items():
        yield from ((owner, name) for name in names)
