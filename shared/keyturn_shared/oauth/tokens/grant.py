"""Scopes (RFC 6749 3.3) and audiences (RFC 8707) that a client requests and is granted. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keyturn_shared.oauth.errors import InvalidScopeError, InvalidTargetError
from keyturn_shared.oauth.tokens.token_profile import IGNORED_SCOPES, ROLES_SCOPE, TokenProfile


@dataclass(frozen=True, slots=True)
class Grant:
    """``scope``: names separated by single spaces, possibly none. ``audiences``: if empty, the realm.
    ``role_claims``: what the token says of roles."""

    scope: str
    audiences: tuple[str, ...]
    role_claims: Mapping[str, Any] = field(default_factory=dict)


def decide_grant(profile: TokenProfile, scope: str | None, targets: Sequence[str]) -> Grant:
    """Grant the client's default scopes, and the optional ones among those requested, as Keycloak does.

    Audiences are granted from those that the client is allowed. A client that is allowed none gets the token
    that it would get anyway: Keycloak ignores the parameters. Raises InvalidScopeError and
    InvalidTargetError.
    """
    granted = profile.scope if not scope else _with_requested(profile, scope)
    allowed = profile.audiences
    claims: Mapping[str, Any] = {}
    if profile.role_claims and _has_roles(profile, scope):
        claims = profile.role_claims
        allowed = tuple(dict.fromkeys((*allowed, *profile.role_audiences)))
    if not targets or not profile.audiences:
        return Grant(granted, allowed, claims)
    if not set(allowed).issuperset(targets):
        raise InvalidTargetError("an audience that this client is not allowed")
    return Grant(granted, tuple(dict.fromkeys(targets)), claims)


def _has_roles(profile: TokenProfile, scope: str | None) -> bool:
    if ROLES_SCOPE in profile.default:
        return True
    return ROLES_SCOPE in profile.optional and ROLES_SCOPE in (scope or "").split(" ")


def _with_requested(profile: TokenProfile, scope: str) -> str:
    added = [profile.scope] if profile.scope else []
    for name in dict.fromkeys(scope.split(" ")):
        if not name or name in IGNORED_SCOPES or name in profile.default:
            continue
        if name not in profile.optional:
            raise InvalidScopeError("the client is not allowed a requested scope")
        if name not in profile.silent:
            added.append(name)
    return " ".join(added)
