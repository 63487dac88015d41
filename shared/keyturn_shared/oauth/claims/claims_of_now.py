"""Claims of a token that its client would still get: what was taken away since is shown to nobody. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn_shared.jose import strict_json
from keyturn_shared.oauth.claims.mapped_claims import MappedClaims, mapped_roles, may_apply, values_of
from keyturn_shared.oauth.claims.role_claims import HeldRole
from keyturn_shared.projected_mappers import (
    CLIENT_ID_PLACEHOLDER,
    PROTOCOL_CLAIMS,
    REALM_ACCESS,
    RESOURCE_ACCESS,
    ClaimPath,
    ProjectedMapper,
)
from keyturn_shared.projection import ClientProjection

_NOTHING: Final = object()
_ROLE_CLAIMS: Final = ((REALM_ACCESS,), (RESOURCE_ACCESS,))
_ROLE_KINDS: Final = frozenset({"realm_roles", "client_roles"})


@dataclass(frozen=True, slots=True)
class ClaimsOfNow:
    """Claims that any token of a client may have now.

    ``usual``: those of most tokens, to compare with first. ``allowed``: JSON of the values, and of the
    elements of arrays, by path. ``notes``: paths whose value differs from request to request. ``roles``:
    paths at and under which roles are listed.
    """

    usual: Mapping[str, Any]
    allowed: Mapping[ClaimPath, set[bytes]]
    notes: frozenset[ClaimPath]
    roles: tuple[ClaimPath, ...]


@dataclass(frozen=True, slots=True)
class Remainder:
    """``claims``: what is left of a token's claims; the same object if all of them are. ``lost_role``: a role
    is not among them."""

    claims: dict[str, Any]
    lost_role: bool = False


def claims_of_now(
    client: ClientProjection,
    mappers: Iterable[ProjectedMapper],
    held: frozenset[HeldRole],
    usual: MappedClaims,
) -> ClaimsOfNow:
    """Collect what the mappers may set, with any of the client's scopes. ``held``: the roles that it has."""
    usable = [mapper for mapper in mappers if may_apply(mapper)]
    roles = held | mapped_roles(usable, held)
    allowed: dict[ClaimPath, set[bytes]] = {}
    listing: list[ClaimPath] = list(_ROLE_CLAIMS)
    notes: set[ClaimPath] = set()
    for mapper in usable:
        if mapper.kind == "note":
            notes.add(mapper.claim)
        if mapper.kind in _ROLE_KINDS:
            listing.append(_before_placeholder(mapper.claim))
        for path, value in values_of(client, mapper, roles):
            _allow(allowed, path, value)
            if mapper.kind in _ROLE_KINDS and not mapper.multivalued:
                for owner, name in roles:
                    if (owner is None) == (mapper.kind == "realm_roles") and mapper.owner in (None, owner):
                        _allow(allowed, path, f"{mapper.prefix}{name}")
    return ClaimsOfNow(usual.claims, allowed, frozenset(notes), tuple(dict.fromkeys(listing)))


def remaining(claims: dict[str, Any], now: ClaimsOfNow) -> Remainder:
    """Return the claims of a token without those that its client would not get any more."""
    mapped = claims.keys() - PROTOCOL_CLAIMS
    if not mapped:
        return Remainder(claims)
    usual = now.usual
    others = [name for name in mapped if name not in usual or usual[name] != claims[name]]
    if not others:
        return Remainder(claims)
    left = dict(claims)
    lost: list[ClaimPath] = []
    for name in others:
        kept = _kept((name,), claims[name], now, lost)
        if kept is _NOTHING:
            del left[name]
        else:
            left[name] = kept
    if not lost:
        return Remainder(claims)
    lost_role = any(_is_under(path, listing) for path in lost for listing in now.roles)
    return Remainder(left, lost_role)


def merged(claims: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims with others, which replace none."""
    result = dict(claims)
    for name, value in added.items():
        there = result.get(name, _NOTHING)
        if there is _NOTHING:
            result[name] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            result[name] = merged(there, value)
    return result


def _before_placeholder(path: ClaimPath) -> ClaimPath:
    """Return the part of a path that is the same for all clients; at least the claim."""
    fixed = next((index for index, name in enumerate(path) if CLIENT_ID_PLACEHOLDER in name), len(path))
    return path[: max(fixed, 1)]


def _is_under(path: ClaimPath, listing: ClaimPath) -> bool:
    """Return whether roles are listed at the path. The claim may have a placeholder in its name."""
    head, placeholder, tail = listing[0].partition(CLIENT_ID_PLACEHOLDER)
    if placeholder:
        return path[0].startswith(head) and path[0].endswith(tail)
    return path[: len(listing)] == listing


def _allow(allowed: dict[ClaimPath, set[bytes]], path: ClaimPath, value: Any) -> None:
    there = allowed.setdefault(path, set())
    there.add(strict_json.encode(value))
    if isinstance(value, list):
        there.update(strict_json.encode(entry) for entry in value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _allow(allowed, (*path, name), inner)


def _kept(path: ClaimPath, value: Any, now: ClaimsOfNow, lost: list[ClaimPath]) -> Any:
    """Return what is left of a value; ``_NOTHING`` if nothing is. What is lost is added to ``lost``."""
    if path in now.notes and isinstance(value, str):
        return value
    allowed = now.allowed.get(path, ())
    if allowed and strict_json.encode(value) in allowed:
        return value
    if isinstance(value, dict) and value:
        kept = {name: _kept((*path, name), inner, now, lost) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner is not _NOTHING} or _NOTHING
    if isinstance(value, list) and allowed:
        entries = [entry for entry in value if strict_json.encode(entry) in allowed]
        if len(entries) < len(value):
            lost.append(path)
        return entries or _NOTHING
    lost.append(path)
    return _NOTHING
