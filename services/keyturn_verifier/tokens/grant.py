"""What a client asks for and is given: scopes (RFC 6749 3.3) and audiences (RFC 8707). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from keyturn_shared.projection import ClientProjection
from keyturn_verifier.errors import InvalidScopeError, InvalidTargetError

_IGNORED: Final = frozenset({"openid"})
"""Asked for by many libraries by default. There is no user, so nothing is granted: it is left out, which the
answer's ``scope`` shows."""


@dataclass(frozen=True, slots=True)
class Grant:
    """``scope``: names with single spaces, perhaps none. ``audiences``: if none, the realm itself."""

    scope: str
    audiences: tuple[str, ...]


def decide_grant(client: ClientProjection, scope: str | None, targets: Sequence[str]) -> Grant:
    """The client's defaults where it asks for nothing, else what it asks for and may have.

    Raises InvalidScopeError and InvalidTargetError.
    """
    if scope:
        asked = [name for name in dict.fromkeys(scope.split(" ")) if name and name not in _IGNORED]
        allowed = {*client.scopes, *client.default_scopes}
        if not allowed.issuperset(asked):
            raise InvalidScopeError("a scope that this client may not have")
        granted = " ".join(asked or client.default_scopes)
    else:
        granted = " ".join(client.default_scopes)
    if not targets:
        return Grant(granted, client.audiences)
    if not set(client.audiences).issuperset(targets):
        raise InvalidTargetError("an audience that this client may not have")
    return Grant(granted, tuple(dict.fromkeys(targets)))
