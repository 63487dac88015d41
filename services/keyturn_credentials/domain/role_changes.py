"""Changes of the roles of a realm and its clients, which keep what refers to a role in step with it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import uuid4

from keyturn_credentials.domain.bounds import check_document
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import (
    RoleKey,
    as_composites,
    composites_of,
    keys_by_id,
    role_id,
    roles_of_realm,
    with_roles,
)
from keyturn_credentials.domain.role_members import is_misleading, members_of, name_of, refuse_misleading
from keyturn_credentials.domain.scope_mappings import with_mapped_roles, without_holder
from keyturn_credentials.errors import ConflictError, InvalidRequestError, NotFoundError

NO_ROLE: Final = "Could not find role"
NO_COMPOSITE: Final = "Could not find composite role"
Renaming = Callable[[RoleKey], RoleKey | None]
"""Returns what a role is called after a change; None for one that is gone."""


def require_role(realm: Realm, key: RoleKey) -> Mapping[str, Any]:
    """Return the representation of a role. Raises NotFoundError."""
    role = roles_of_realm(realm).get(key)
    if role is None:
        raise NotFoundError(NO_ROLE)
    return role


def require_key(realm: Realm, chosen: str) -> RoleKey:
    """Return the role with this id. Raises NotFoundError."""
    key = keys_by_id(realm).get(chosen)
    if key is None:
        raise NotFoundError("Could not find role with id")
    return key


def with_new_role(
    realm: Realm, owner: str | None, representation: Mapping[str, Any]
) -> tuple[Realm, RoleKey]:
    """Add a role of the realm, or of the client with the id ``owner``. Raises InvalidRequestError,
    ConflictError, and NotFoundError for a role that it should be composed of."""
    key = owner, name_of(representation)
    refuse_misleading(realm, key)
    known = roles_of_realm(realm)
    if key in known:
        raise ConflictError(f"Role with name {key[1]} already exists")
    members = members_of(representation)
    composites = list(composites_of(representation))
    if any(each not in known for each in composites):
        raise NotFoundError(NO_COMPOSITE)
    for each in composites:
        refuse_misleading(realm, each)
    role = {**members, "name": key[1], "id": str(uuid4())}
    return _with(realm, {**known, key: _composed(role, composites)}), key


def with_changed_role(realm: Realm, key: RoleKey, representation: Mapping[str, Any]) -> Realm:
    """Apply a PUT of this representation to a role. As in Keycloak, an absent description is removed, absent
    attributes are kept, and whoever has the role has it under its new name. Raises NotFoundError,
    InvalidRequestError and ConflictError."""
    before = require_role(realm, key)
    name = name_of(representation)
    members = members_of(representation)
    named = representation.get("composites")
    if named and set(composites_of(representation)) != set(composites_of(before)):
        raise InvalidRequestError("composites: change them at the address of the role's composites")
    new_key = key[0], name
    known = roles_of_realm(realm)
    if new_key != key:
        refuse_misleading(realm, new_key)
        if new_key in known:
            raise ConflictError(f"Role with name {name} already exists")
    kept = {member: value for member, value in before.items() if member != "description"}
    after = {**kept, **members, "name": name, "id": role_id(realm, key, before)}
    renamed = _renamed(realm, lambda each: new_key if each == key else each)
    return _with(renamed, {**roles_of_realm(renamed), new_key: _composed(after, composites_of(before))})


def without_role(realm: Realm, key: RoleKey) -> Realm:
    """Remove a role, also from composite roles and scope mappings. No service account has it any more, even
    when there is one of this name again. Raises NotFoundError."""
    require_role(realm, key)
    return _checked(_renamed(realm, lambda each: None if each == key else each))


def with_composites(realm: Realm, key: RoleKey, chosen: Iterable[str], *, is_in: bool) -> Realm:
    """Compose a role of the roles with these ids too, or of them no longer. Roles may contain each other, and
    themselves, as in Keycloak. Raises NotFoundError, and InvalidRequestError, above all for a role that would
    seem to give power."""
    role = require_role(realm, key)
    by_id = keys_by_id(realm)
    found = list(dict.fromkeys(by_id.get(each) for each in chosen))
    named = [each for each in found if each is not None]
    if len(named) < len(found):
        raise NotFoundError(NO_COMPOSITE)
    before = list(composites_of(role))
    if is_in:
        if not is_misleading(realm, key):
            for each in named:
                refuse_misleading(realm, each)
        after = list(dict.fromkeys([*before, *named]))
    else:
        after = [each for each in before if each not in named]
    return _with(realm, {**roles_of_realm(realm), key: _composed(role, after)})


def with_client_renamed(realm: Realm, former: str, new: str) -> Realm:
    """Let the roles and scope mappings of a client follow it to its new id. Raises ConflictError if an import
    brought roles of that id."""
    known = roles_of_realm(realm)
    if any(owner == new for owner, _ in known) and any(owner == former for owner, _ in known):
        raise ConflictError(f"the realm has roles of a client {new} already")
    moved = _renamed(realm, lambda each: (new, each[1]) if each[0] == former else each)
    return _checked(with_mapped_roles(moved, lambda each: each, clients={former: new}))


def without_client(realm: Realm, client_id: str) -> Realm:
    """Remove the roles and scope mappings of a client that is deleted."""
    return without_holder(
        _renamed(realm, lambda each: None if each[0] == client_id else each), client=client_id
    )


def _renamed(realm: Realm, rename: Renaming) -> Realm:
    """Rename and remove roles wherever the realm has them. The same realm if there is nothing to change."""
    known = roles_of_realm(realm)
    changed = {
        key: {**role, "id": role_id(realm, key, role)}
        for key, role in known.items()
        if rename(key) != key or any(rename(each) != each for each in composites_of(role))
    }
    mapped = with_mapped_roles(realm, rename)
    if not changed:
        return mapped
    after: dict[RoleKey, Mapping[str, Any]] = {}
    for key, role in known.items():
        new_key = rename(key)
        if new_key is None:
            continue
        if key not in changed:
            after[new_key] = role
            continue
        inner = [new for each in composites_of(role) if (new := rename(each)) is not None]
        after[new_key] = _composed({**changed[key], "name": new_key[1]}, inner)
    return with_roles(mapped, after)


def _composed(role: Mapping[str, Any], composites: Iterable[RoleKey]) -> dict[str, Any]:
    """Return a role that is composed of these."""
    of_whom = list(composites)
    rest = {name: value for name, value in role.items() if name != "composites"}
    return {**rest, "composite": bool(of_whom), **({"composites": as_composites(of_whom)} if of_whom else {})}


def _with(realm: Realm, known: Mapping[RoleKey, Mapping[str, Any]]) -> Realm:
    return _checked(with_roles(realm, known))


def _checked(realm: Realm) -> Realm:
    check_document(realm.document)
    return realm
