"""Everything in a client's tokens that does not depend on the request: made once of a realm and a client, as
long as neither changes. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from keyturn_shared.oauth.claims.claims_of_now import ClaimsOfNow, claims_of_now, merged, remaining
from keyturn_shared.oauth.claims.mapped_claims import MappedClaims, map_claims
from keyturn_shared.oauth.claims.scoped_roles import ScopedRoles, scoped_roles
from keyturn_shared.projected_mappers import MAPPERS_OF_EARLIER_BUILDS, ProjectedMapper
from keyturn_shared.projection import ClientProjection, RealmProjection, service_account_name

ACR: Final = "1"
"""Keycloak's level of what needs no more than the client's credential."""

IGNORED_SCOPES: Final = frozenset({"openid"})
"""Many libraries request it by default. There is no user, so nothing is granted: it is left out, visible in
the response's ``scope``."""

MAX_COMBINATIONS: Final = 32
"""Combinations of optional scopes whose claims are kept per client: callers choose them."""

Mappers = tuple[ProjectedMapper, ...]


@dataclass(frozen=True)
class TokenProfile:
    """``scope``: the client's default scopes, which are in every token. ``default`` and ``optional``: names
    that it may request; ``silent``: those that no token's ``scope`` has (Keycloak's
    ``include.in.token.scope``). ``audiences``: the resource servers that its tokens may be for. ``roles``:
    those that its service account has now, by the scopes that bring them. ``mappers``: those of every token;
    ``optional_mappers``: those of optional scopes, by name."""

    client: ClientProjection
    scope: str
    default: frozenset[str]
    optional: frozenset[str]
    silent: frozenset[str]
    audiences: tuple[str, ...]
    roles: ScopedRoles
    mappers: Mappers = ()
    optional_mappers: Mapping[str, Mappers] = field(default_factory=dict)
    _combinations: dict[tuple[str, ...], MappedClaims] = field(default_factory=dict, compare=False)

    @cached_property
    def mapped(self) -> MappedClaims:
        """The claims of a token with the default scopes."""
        return map_claims(self.client, self.mappers, self.roles.of_default, self._is_in_token)

    def mapped_with(self, requested: Collection[str]) -> MappedClaims:
        """Return the claims of a token with these optional scopes as well."""
        names = tuple(name for name in self._varying if name in requested)
        if not names:
            return self.mapped
        known = self._combinations.get(names)
        if known is None:
            if len(self._combinations) >= MAX_COMBINATIONS:
                self._combinations.clear()
            roles = self.roles.with_requested(names)
            known = map_claims(self.client, self._with(names), roles, self._is_in_token)
            self._combinations[names] = known
        return known

    def claims_of_now(self, claims: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return the claims of one of the client's tokens without those that it would not get now, and
        whether a role is among those left out."""
        left = remaining(claims, self._now)
        return left.claims, left.lost_role

    def introspected(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Return what introspection shows of a token: without claims that it is not to show, and with those
        that only it shows."""
        if self._shown is not None:
            claims = remaining(claims, self._shown).claims
        if not self._has_more:
            return claims
        scope = claims.get("scope")
        names = scope.split(" ") if isinstance(scope, str) else ()
        optional = [name for name in self._varying if name in names]
        more = map_claims(
            self.client,
            self._with(optional),
            self.roles.with_requested(optional),
            lambda mapper: mapper.in_introspection and not self._is_in_token(mapper),
        )
        added = dict(more.claims)
        if self.client.lightweight_tokens:
            added |= {"acr": ACR, "preferred_username": service_account_name(self.client.client_id)}
        return merged(claims, added)

    @cached_property
    def _varying(self) -> tuple[str, ...]:
        """Optional scopes that change what a token says."""
        return tuple(dict.fromkeys((*self.optional_mappers, *self.roles.by_scope)))

    @cached_property
    def _all(self) -> Mappers:
        return self._with(self.optional_mappers)

    @cached_property
    def _now(self) -> ClaimsOfNow:
        in_token = filter(self._is_applied, self._all)
        return claims_of_now(self.client, in_token, self.roles.of_any, self.mapped)

    @cached_property
    def _shown(self) -> ClaimsOfNow | None:
        """The claims of a token that introspection may show; None if it may show all."""
        hidden = [mapper for mapper in self._all if self._is_in_token(mapper) and not mapper.in_introspection]
        if not any(mapper.claim for mapper in hidden):
            return None
        shown = [mapper for mapper in self._all if mapper.in_introspection or not mapper.claim]
        return claims_of_now(self.client, shown, self.roles.of_any, MappedClaims())

    @cached_property
    def _has_more(self) -> bool:
        return self.client.lightweight_tokens or any(
            mapper.in_introspection and not self._is_in_token(mapper) for mapper in self._all
        )

    def _with(self, optional: Iterable[str]) -> Mappers:
        return (*self.mappers, *(each for name in optional for each in self.optional_mappers.get(name, ())))

    def _is_in_token(self, mapper: ProjectedMapper) -> bool:
        return mapper.in_lightweight if self.client.lightweight_tokens else mapper.in_token

    def _is_applied(self, mapper: ProjectedMapper) -> bool:
        return not mapper.claim or self._is_in_token(mapper)


def profile_of(realm: RealmProjection, client: ClientProjection) -> TokenProfile:
    """Combine a client with its realm. A client without lists of its own has its realm's."""
    default = realm.default_scopes if client.default_scopes is None else client.default_scopes
    optional = realm.optional_scopes if client.scopes is None else client.scopes
    silent, removed = realm.silent_scopes, realm.removed_scopes
    if removed:
        default = tuple(name for name in default if name not in removed)
        optional = tuple(name for name in optional if name not in removed)
    roles = scoped_roles(realm, client, default, optional)
    if roles.barred:
        default = tuple(name for name in default if name not in roles.barred)
        optional = tuple(name for name in optional if name not in roles.barred)
    mappers = MAPPERS_OF_EARLIER_BUILDS if realm.scope_mappers is None else realm.scope_mappers
    of_default = (each for name in dict.fromkeys(default) for each in mappers.get(name, ()))
    return TokenProfile(
        client=client,
        scope=" ".join(name for name in dict.fromkeys(default) if name not in silent),
        default=frozenset(default),
        optional=frozenset(optional),
        silent=silent,
        audiences=client.audiences,
        roles=roles,
        mappers=(*client.mappers, *of_default),
        optional_mappers={
            name: mappers[name]
            for name in dict.fromkeys(optional)
            if name not in default and mappers.get(name)
        },
    )
