"""Claims that protocol mappers give a client's tokens. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_shared.oauth.claims.role_claims import HeldRole
from keyturn_shared.projected_mappers import (
    CLIENT_ID_PLACEHOLDER,
    ClaimPath,
    ProjectedMapper,
    refused_claim,
)
from keyturn_shared.projection import ClientProjection, service_account_name

_LAST: Final = frozenset({"realm_roles", "client_roles"})


@dataclass(frozen=True, slots=True)
class MappedClaims:
    """``claims``: the same in every token; not to be changed. ``audiences``: in addition to those of the
    client. ``notes``: paths of the claims that have the caller's address."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    audiences: tuple[str, ...] = ()
    notes: tuple[ClaimPath, ...] = ()


def may_apply(mapper: ProjectedMapper) -> bool:
    """Return whether a mapper sets only claims that mappers may set. The credentials service refuses others;
    this is the second check, by whoever issues the token."""
    return refused_claim(mapper) is None


def mapped_roles(mappers: Iterable[ProjectedMapper], held: frozenset[HeldRole]) -> frozenset[HeldRole]:
    """Return the roles of a token: those that its client has, some with another name, and hardcoded ones."""
    mappers = list(mappers)
    roles = set(held)
    for mapper in mappers:
        if mapper.kind == "role_name" and (mapper.owner, mapper.role) in roles:
            roles.discard((mapper.owner, mapper.role))
            roles.add((mapper.new_owner, mapper.new_role))
    roles.update((mapper.owner, mapper.role) for mapper in mappers if mapper.kind == "hardcoded_role")
    return frozenset(roles)


def map_claims(
    client: ClientProjection,
    mappers: Iterable[ProjectedMapper],
    held: frozenset[HeldRole],
    is_in: Callable[[ProjectedMapper], bool],
) -> MappedClaims:
    """Apply mappers in their order, those that list roles last. ``held``: the roles that the client has;
    ``is_in``: tells whether a mapper's claim is wanted."""
    usable = [mapper for mapper in mappers if may_apply(mapper)]
    roles = mapped_roles(usable, held)
    claims: dict[str, Any] = {}
    audiences: dict[str, None] = {}
    notes: list[ClaimPath] = []
    for mapper in sorted(filter(is_in, usable), key=lambda mapper: mapper.kind in _LAST):
        match mapper.kind:
            case "audience":
                audiences[str(mapper.value)] = None
            case "audience_resolve":
                owners = {owner for owner, _ in roles if owner not in (None, client.client_id)}
                audiences.update(dict.fromkeys(sorted(owner for owner in owners if owner)))
            case "note":
                notes.append(mapper.claim)
            case _:
                for path, value in values_of(client, mapper, roles):
                    put(claims, path, value)
    # An administrator's token stays one for the admin API, whose audience is the issuer.
    return MappedClaims(claims, () if client.administers else tuple(audiences), tuple(notes))


def values_of(
    client: ClientProjection, mapper: ProjectedMapper, roles: frozenset[HeldRole]
) -> Iterable[tuple[ClaimPath, Any]]:
    """Yield the claims that one mapper sets, each with its path. A value that is empty is not set, nor one
    that would be in a claim of the protocol because of a client's id in its path."""
    match mapper.kind:
        case "constant":
            yield mapper.claim, mapper.value
        case "identity":
            value = _identity(client, mapper.source)
            yield mapper.claim, [value] if mapper.multivalued else value
        case "allowed_origins" if client.allowed_origins:
            yield mapper.claim, list(client.allowed_origins)
        case "realm_roles":
            yield from _roles(mapper, mapper.claim, (name for owner, name in roles if owner is None))
        case "client_roles":
            for owner in sorted({owner for owner, _ in roles if owner is not None}):
                if mapper.owner in (None, owner):
                    path = tuple(each.replace(CLIENT_ID_PLACEHOLDER, owner) for each in mapper.claim)
                    if refused_claim(mapper, path) is not None:
                        continue
                    yield from _roles(mapper, path, (name for of, name in roles if of == owner))


def put(claims: dict[str, Any], path: ClaimPath, value: Any) -> None:
    """Set a nested claim. An array is added to one that is there. Nothing is set where another claim is in
    the way."""
    place = claims
    for name in path[:-1]:
        inner = place.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        place = inner
    there = place.get(path[-1])
    if isinstance(there, list) and isinstance(value, list):
        value = [*there, *(entry for entry in value if entry not in there)]
    place[path[-1]] = value


def with_notes(mapped: Mapping[str, Any], notes: Iterable[ClaimPath], address: str) -> dict[str, Any]:
    """Return the claims with the caller's address where it belongs."""
    claims = dict(mapped)
    for path in notes:
        place = claims
        for name in path[:-1]:
            inner = place.get(name, {})
            if not isinstance(inner, dict):
                break
            place[name] = inner = dict(inner)  # what is mapped is shared by all tokens
            place = inner
        else:
            place[path[-1]] = address
    return claims


def _identity(client: ClientProjection, source: str) -> str:
    match source:
        case "client_id":
            return client.client_id
        case "client_uuid":
            return client.uuid
        case "id":
            return client.subject or client.client_id
        case _:
            return service_account_name(client.client_id)


def _roles(
    mapper: ProjectedMapper, path: ClaimPath, names: Iterable[str]
) -> Iterable[tuple[ClaimPath, list[str] | str]]:
    listed = [f"{mapper.prefix}{name}" for name in sorted(names)]
    if listed:
        yield path, listed if mapper.multivalued else listed[0]
