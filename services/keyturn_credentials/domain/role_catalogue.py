"""Roles of a realm and of its clients, in the shape of Keycloak's exports, and what composite ones stand for.
Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeGuard
from uuid import UUID, uuid4, uuid5

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.service_account import service_accounts_in
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.projection import RoleSet

ROLES: Final = "roles"
MAX_ROLES: Final = 5000
"""Roles of a realm and its clients: all of them are in its projection."""
MAX_NAME: Final = 255
MAX_COMPOSITES: Final = 10_000
"""Roles that the composite ones of a realm are directly composed of, in all."""
MAX_COMPOSED_BYTES: Final = 256 * 1024
"""Length of the names that all composite roles of a realm stand for: its projection has them resolved, and a
chain of 5,000 roles would stand for twelve million."""

_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}\Z")
_IDS: Final = UUID("5e0a3f0c-8f0e-4c52-9a53-5ad1c1f8a7d4")
"""Namespace of the ids of roles that an earlier build stored without one (RFC 9562 section 5.5)."""

RoleKey = tuple[str | None, str]
"""A role: the id of the client whose it is, None for the realm's, and its name."""
Roles = Mapping[RoleKey, Mapping[str, Any]]
"""Roles and their representations."""


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """Roles read from one value of a realm's document."""

    value: object
    realm_id: str
    roles: Roles
    by_id: Mapping[str, RoleKey]


_last_read = _Catalogue(None, "", {}, {})
"""Many clients of one realm are projected in a row, and reading thousands of roles takes milliseconds."""


def _catalogue_of(realm: Realm) -> _Catalogue:
    global _last_read
    value = realm.document.get(ROLES)
    known = _last_read
    if known.value is not value or known.realm_id != realm.id or value is None:
        roles = dict(_entries(value))
        by_id = {role_id(realm, key, role): key for key, role in roles.items()}
        known = _last_read = _Catalogue(value, realm.id, roles, by_id)
    return known


def roles_of_realm(realm: Realm) -> Roles:
    """Return all roles and their representations. Entries that are none, kept by an earlier build, are
    skipped."""
    return _catalogue_of(realm).roles


def role_id(realm: Realm, key: RoleKey, representation: Mapping[str, Any]) -> str:
    """Return the id of a role: constant, and never that of a later role of the same name."""
    chosen = representation.get("id")
    return chosen if _is_id(chosen) else str(uuid5(_IDS, f"{realm.id}:{key[0] or ''}:{key[1]}"))


def keys_by_id(realm: Realm) -> Mapping[str, RoleKey]:
    """Return every role by its id."""
    return _catalogue_of(realm).by_id


def with_roles(realm: Realm, known: Roles) -> Realm:
    """Return the realm with these roles instead of its own. Raises InvalidRequestError if they are too many
    or too large."""
    after = replace(realm, document={**realm.document, ROLES: _as_member(known)})
    check_roles(realm, after)
    return after


def with_lasting_ids(before: Realm, after: Realm) -> Realm:
    """Return a changed realm in which every role has its id written out.

    A role that was there keeps its id. Another one gets a new id, even if the change names one: the mappings
    of a role end with it, and one of the same name and id must not bring them back. Only the roles of a new
    realm have the ids that they come with.
    """
    if ROLES not in after.document or after.document[ROLES] == before.document.get(ROLES):
        return after
    is_new = ROLES not in before.document
    former = {key: role_id(before, key, role) for key, role in roles_of_realm(before).items()}
    taken = set(former.values())
    settled: dict[RoleKey, Mapping[str, Any]] = {}
    for key, role in roles_of_realm(after).items():
        chosen = former.get(key)
        if chosen is None:
            named = role.get("id")
            chosen = str(named) if is_new and _is_id(named) and named not in taken else str(uuid4())
            taken.add(chosen)
        settled[key] = {**role, "id": chosen}
    return replace(after, document={**after.document, ROLES: _as_member(settled)})


def composites_of(representation: Mapping[str, Any]) -> Iterator[RoleKey]:
    """Yield the roles that a role is directly composed of."""
    composites = representation.get("composites")
    if not isinstance(composites, Mapping):
        return
    for name in _texts(composites.get("realm")):
        yield None, name
    by_client = composites.get("client")
    for client_id, roles in by_client.items() if isinstance(by_client, Mapping) else ():
        for name in _texts(roles):
            yield client_id, name


def as_composites(keys: Iterable[RoleKey]) -> dict[str, Any]:
    """Return the member in which a role has those that it is composed of."""
    member: dict[str, Any] = {}
    for client_id, name in keys:
        place = member if client_id is None else member.setdefault("client", {})
        place.setdefault("realm" if client_id is None else client_id, []).append(name)
    return member


def contents(known: Roles, key: RoleKey, max_bytes: int = MAX_COMPOSED_BYTES) -> set[RoleKey]:
    """Return what a role stands for beside itself, of the roles that there are. Roles may contain each
    other. Stops when the names are longer than ``max_bytes`` together."""
    found: set[RoleKey] = set()
    waiting = [key]
    size = 0
    while waiting:
        for inner in composites_of(known[waiting.pop()]):
            if inner in known and inner not in found and inner != key:
                found.add(inner)
                waiting.append(inner)
                size += size_of(inner)
                if size > max_bytes:
                    return found
    return found


def expanded(known: Roles, keys: Iterable[RoleKey]) -> set[RoleKey]:
    """Return those of these roles that there are, with those that they are composed of."""
    there = [key for key in keys if key in known]
    return set(there).union(*(contents(known, key) for key in there))


def size_of(key: RoleKey) -> int:
    """Return the length of a role's names in bytes."""
    return sum(len(name.encode()) for name in key if name is not None)


def as_role_set(keys: Iterable[RoleKey]) -> RoleSet:
    """Group roles by whose they are, in order."""
    realm_roles: list[str] = []
    by_client: dict[str, list[str]] = {}
    for client_id, name in sorted(keys, key=lambda key: (key[0] or "", key[1])):
        (realm_roles if client_id is None else by_client.setdefault(client_id, [])).append(name)
    return RoleSet(tuple(realm_roles), {name: tuple(roles) for name, roles in by_client.items()})


def projected_roles(realm: Realm) -> tuple[dict[str, RoleSet], dict[str, dict[str, RoleSet]]]:
    """Return what each role of the realm, and each of its clients, stands for beside itself."""
    known = roles_of_realm(realm)
    of_realm: dict[str, RoleSet] = {}
    of_clients: dict[str, dict[str, RoleSet]] = {}
    for key in known:
        client_id, name = key
        place = of_realm if client_id is None else of_clients.setdefault(client_id, {})
        place[name] = as_role_set(contents(known, key))
    return of_realm, of_clients


def with_imported_roles(realm: Realm, export: Mapping[str, Any]) -> Realm:
    """Add the roles of an export that the realm does not have yet, and those that its service accounts were
    given: Keycloak makes a role that an import only names. The same realm if there is nothing to add."""
    known = roles_of_realm(realm)
    added = {key: entry for key, entry in _entries(export.get(ROLES)) if key not in known}
    for account in service_accounts_in(export).values():
        given: list[RoleKey] = [(None, name) for name in account.realm_roles]
        given += [(client_id, name) for client_id, roles in account.client_roles.items() for name in roles]
        added |= {key: {"name": key[1]} for key in given if key not in known and key not in added}
    return with_lasting_ids(realm, with_roles(realm, {**known, **added})) if added else realm


def check_roles(before: Realm, after: Realm) -> None:
    """Raise InvalidRequestError if a change leaves roles that are none, or too many."""
    value = after.document.get(ROLES)
    if value is None or value == before.document.get(ROLES):
        return
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{ROLES} must be an object")
    of_realm, by_client = value.get("realm"), value.get("client")
    lists = [[] if of_realm is None else of_realm]
    if by_client is not None:
        lists += by_client.values() if isinstance(by_client, Mapping) else [None]
    if not all(isinstance(each, list) and all(_is_role(role) for role in each) for each in lists):
        raise InvalidRequestError(
            f"{ROLES} must have arrays of roles, each with a name of 1 to {MAX_NAME} characters"
        )
    count = len(roles_of_realm(after))
    if count > MAX_ROLES:
        raise InvalidRequestError(f"{ROLES} has {count} roles; at most {MAX_ROLES} are allowed")
    _check_composites(roles_of_realm(after))


def _check_composites(known: Mapping[RoleKey, Mapping[str, Any]]) -> None:
    count = sum(1 for role in known.values() for _ in composites_of(role))
    if count > MAX_COMPOSITES:
        raise InvalidRequestError(
            f"the composite roles in {ROLES} have {count} entries; at most {MAX_COMPOSITES} are allowed"
        )
    left = MAX_COMPOSED_BYTES
    for key in known:
        left -= sum(size_of(inner) for inner in contents(known, key, left))
        if left < 0:
            raise InvalidRequestError(
                f"the composite roles in {ROLES} stand for too many roles: their names may have"
                f" {MAX_COMPOSED_BYTES} bytes in all"
            )


def _entries(value: object) -> Iterator[tuple[RoleKey, Mapping[str, Any]]]:
    if not isinstance(value, Mapping):
        return
    yield from ((((None, role["name"])), role) for role in _roles(value.get("realm")))
    by_client = value.get("client")
    for client_id, roles in by_client.items() if isinstance(by_client, Mapping) else ():
        yield from (((client_id, role["name"]), role) for role in _roles(roles))


def _as_member(known: Mapping[RoleKey, Mapping[str, Any]]) -> dict[str, Any]:
    member: dict[str, Any] = {"realm": [], "client": {}}
    for (client_id, _), role in known.items():
        place = member["realm"] if client_id is None else member["client"].setdefault(client_id, [])
        place.append(dict(role))
    return member


def _roles(value: object) -> Iterator[Mapping[str, Any]]:
    yield from (role for role in (value if isinstance(value, list) else ()) if _is_role(role))


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.match(value) is not None


def _is_role(role: object) -> bool:
    name = role.get("name") if isinstance(role, Mapping) else None
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME


def _texts(value: object) -> Iterator[str]:
    yield from (text for text in (value if isinstance(value, list) else ()) if isinstance(text, str))
