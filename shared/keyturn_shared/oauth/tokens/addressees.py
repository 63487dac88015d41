"""Clients that may ask about an access token: its audiences and its owner (RFC 9701 section 5)."""

from collections.abc import Collection, Mapping
from typing import Any

from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import WrongAudienceError
from keyturn_shared.oauth.ports import ReadSet


def named_audiences(realm: RealmState, claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the audiences other than the realm itself, which is the default without a requested audience."""
    named = claims.get("aud", ())
    return frozenset((named,) if isinstance(named, str) else named) - {realm.urls.issuer}


def is_addressed(
    realm: RealmState, claims: Mapping[str, Any], caller: str, represented: Collection[str]
) -> bool:
    """Return whether a caller owns the token or represents one of its audiences: its own id and those in
    ``represented``."""
    if realm.projection.open_introspection or claims.get("client_id") == caller:
        return True
    named = named_audiences(realm, claims)
    return not named or caller in named or not named.isdisjoint(represented)


async def require_addressed(
    read_set: ReadSet, realm: RealmState, claims: Mapping[str, Any], caller: str
) -> None:
    """Raise WrongAudienceError unless the caller owns the token or represents one of its audiences.

    A client represents its own id and its resource audiences. Any client may ask about a token without
    audiences. The claims may be unverified: they decide who gets an answer, not which one.
    """
    if is_addressed(realm, claims, caller, ()):
        return
    state = await read_set.client(realm, caller)
    if state is None or not is_addressed(realm, claims, caller, state.projection.resource_audiences):
        raise WrongAudienceError("the calling client is not in the token's audience")
