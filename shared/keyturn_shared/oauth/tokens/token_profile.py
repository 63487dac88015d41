"""Everything in a client's tokens that does not depend on the request: made once of a realm and a client, as
long as neither changes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_shared.oauth.tokens.role_claims import RESOURCE_ACCESS, HeldRole, claims_of, held_roles
from keyturn_shared.projection import ClientProjection, RealmProjection

ROLES_SCOPE: Final = "roles"
"""The client scope that brings roles into tokens."""

IGNORED_SCOPES: Final = frozenset({"openid"})
"""Many libraries request it by default. There is no user, so nothing is granted: it is left out, visible in
the response's ``scope``."""


@dataclass(frozen=True, slots=True)
class TokenProfile:
    """``scope``: the client's default scopes, which are in every token. ``default`` and ``optional``: names
    that it may request; ``silent``: those that no token's ``scope`` has (Keycloak's
    ``include.in.token.scope``). ``audiences``: the resource servers that its tokens may be for.
    ``roles``: what its service account has now; ``role_claims``: the claims that say so, in every token
    with the scope ``roles``; ``role_audiences``: the other clients whose roles these are."""

    scope: str
    default: frozenset[str]
    optional: frozenset[str]
    silent: frozenset[str]
    audiences: tuple[str, ...]
    roles: frozenset[HeldRole] = frozenset()
    role_claims: Mapping[str, Any] = field(default_factory=dict)
    role_audiences: tuple[str, ...] = ()


def profile_of(realm: RealmProjection, client: ClientProjection) -> TokenProfile:
    """Combine a client with its realm. A client without lists of its own has its realm's."""
    default = realm.default_scopes if client.default_scopes is None else client.default_scopes
    optional = realm.optional_scopes if client.scopes is None else client.scopes
    silent, removed = realm.silent_scopes, realm.removed_scopes
    if removed:
        default = tuple(name for name in default if name not in removed)
        optional = tuple(name for name in optional if name not in removed)
    roles = held_roles(realm, client)
    claims = claims_of(roles)
    return TokenProfile(
        scope=" ".join(name for name in dict.fromkeys(default) if name not in silent),
        default=frozenset(default),
        optional=frozenset(optional),
        silent=silent,
        audiences=client.audiences,
        roles=roles,
        role_claims=claims,
        # An administrator's token stays one for the admin API, whose audience is the issuer.
        role_audiences=()
        if client.administers
        else tuple(name for name in claims.get(RESOURCE_ACCESS, ()) if name != client.client_id),
    )
