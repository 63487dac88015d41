"""Roles that a client's tokens may have, and client scopes that it may be granted because of them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from keyturn_shared.oauth.claims.role_claims import HeldRole, held_roles, roles_in_scope, roles_of_scope
from keyturn_shared.projection import ClientProjection, RealmProjection


@dataclass(frozen=True, slots=True)
class ScopedRoles:
    """``of_default``: the roles of a token with the default scopes. ``by_scope``: those that each optional
    scope adds. ``barred``: scopes with roles of which the client has none: as in Keycloak, it is not granted
    them."""

    of_default: frozenset[HeldRole] = frozenset()
    by_scope: Mapping[str, frozenset[HeldRole]] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()

    @property
    def of_any(self) -> frozenset[HeldRole]:
        """Every role that a token of the client may have now."""
        return self.of_default.union(*self.by_scope.values())

    def with_requested(self, requested: Iterable[str]) -> frozenset[HeldRole]:
        """Return the roles of a token with these optional scopes as well."""
        added = [self.by_scope[name] for name in requested if name in self.by_scope]
        return self.of_default.union(*added) if added else self.of_default


def scoped_roles(
    realm: RealmProjection, client: ClientProjection, default: Iterable[str], optional: Iterable[str]
) -> ScopedRoles:
    """Combine what a client's service account has with the scope of the client and its client scopes."""
    held = held_roles(realm, client)
    mapped = {name: roles_of_scope(realm, name) for name in (*default, *optional)}
    barred = frozenset(name for name, roles in mapped.items() if roles and not roles & held)
    if client.full_scope:
        return ScopedRoles(held, {}, barred)
    of_client = roles_in_scope(realm, client).union(*(mapped[name] for name in default))
    of_default = held & of_client
    added = {name: (held & mapped[name]) - of_default for name in optional}
    return ScopedRoles(of_default, {name: roles for name, roles in added.items() if roles}, barred)
