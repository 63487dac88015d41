"""Scopes (RFC 6749 3.3) and audiences (RFC 8707) that a client requests and is granted. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keyturn_shared.oauth.claims.token_profile import IGNORED_SCOPES, TokenProfile
from keyturn_shared.oauth.errors import InvalidScopeError, InvalidTargetError, UnauthorizedClientError
from keyturn_shared.projected_mappers import ClaimPath
from keyturn_shared.projection import ClientProjection


@dataclass(frozen=True, slots=True)
class Grant:
    """``scope``: names separated by single spaces, possibly none. ``audiences``: if empty, the realm.
    ``claims``: those of protocol mappers; ``notes``: paths of those that have the caller's address."""

    scope: str
    audiences: tuple[str, ...]
    claims: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[ClaimPath, ...] = ()


def require_service_account(client: ClientProjection) -> None:
    """Raise UnauthorizedClientError unless the client may use client_credentials."""
    if not client.service_accounts_enabled:
        raise UnauthorizedClientError("Client not enabled to retrieve service account")


def decide_grant(profile: TokenProfile, scope: str | None, targets: Sequence[str]) -> Grant:
    """Grant the client's default scopes, and the optional ones among those requested, as Keycloak does.

    Audiences are granted from those that the client is allowed. A client that is allowed none gets the token
    that it would get anyway: Keycloak ignores the parameters. Raises InvalidScopeError and
    InvalidTargetError.
    """
    if not scope:
        granted, mapped = profile.scope, profile.mapped
    else:
        requested = dict.fromkeys(scope.split(" "))
        granted, mapped = _with_requested(profile, requested), profile.mapped_with(requested)
    allowed = profile.audiences
    if mapped.audiences:
        allowed = tuple(dict.fromkeys((*allowed, *mapped.audiences)))
    if not targets or not profile.audiences:
        return Grant(granted, allowed, mapped.claims, mapped.notes)
    if not set(allowed).issuperset(targets):
        raise InvalidTargetError("an audience that this client is not allowed")
    return Grant(granted, tuple(dict.fromkeys(targets)), mapped.claims, mapped.notes)


def _with_requested(profile: TokenProfile, requested: Mapping[str, None]) -> str:
    added = [profile.scope] if profile.scope else []
    for name in requested:
        if not name or name in IGNORED_SCOPES or name in profile.default:
            continue
        if name in profile.roles.barred:
            continue
        if name not in profile.optional:
            raise InvalidScopeError("the client is not allowed a requested scope")
        if name not in profile.silent:
            added.append(name)
    return " ".join(added)
