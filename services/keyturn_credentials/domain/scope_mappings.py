"""Scope mappings: the roles that clients without full scope, and client scopes, bring into scope. Pure.

A realm has them in the shape of Keycloak's exports: ``scopeMappings`` for its own roles, and
``clientScopeMappings`` for roles of clients, by their ids.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from keyturn_credentials.domain.bounds import check_document
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import ROLES, RoleKey, as_role_set
from keyturn_shared.projection import RoleSet

SCOPE_MAPPINGS: Final = "scopeMappings"
CLIENT_SCOPE_MAPPINGS: Final = "clientScopeMappings"
_CLIENT: Final = "client"
_CLIENT_SCOPE: Final = "clientScope"


@dataclass(frozen=True, slots=True)
class Holder:
    """A client or client scope that brings roles into scope. ``member``: ``client`` or ``clientScope``;
    ``name``: its client id or name."""

    member: str
    name: str

    @classmethod
    def client(cls, client_id: str) -> "Holder":
        return cls(_CLIENT, client_id)

    @classmethod
    def client_scope(cls, name: str) -> "Holder":
        return cls(_CLIENT_SCOPE, name)


Mappings = Mapping[Holder, tuple[RoleKey, ...]]


def mappings_of_realm(realm: Realm) -> dict[Holder, tuple[RoleKey, ...]]:
    """Return the roles that each holder is mapped to, whether the realm has them or not."""
    found: dict[Holder, dict[RoleKey, None]] = {}
    for holder, name in _entries(realm.document.get(SCOPE_MAPPINGS)):
        found.setdefault(holder, {})[None, name] = None
    by_client = realm.document.get(CLIENT_SCOPE_MAPPINGS)
    for owner, entries in by_client.items() if isinstance(by_client, Mapping) else ():
        for holder, name in _entries(entries):
            found.setdefault(holder, {})[owner, name] = None
    return {holder: tuple(keys) for holder, keys in found.items()}


def mappings_of(realm: Realm, holder: Holder) -> tuple[RoleKey, ...]:
    """Return the roles that a holder is mapped to."""
    return mappings_of_realm(realm).get(holder, ())


def with_mappings(realm: Realm, holder: Holder, keys: Iterable[RoleKey]) -> Realm:
    """Map a holder to these roles instead of its former ones. Raises InvalidRequestError for more than a
    realm can keep."""
    after = _with(realm, {**mappings_of_realm(realm), holder: tuple(dict.fromkeys(keys))})
    check_document(after.document)
    return after


def with_mapped_roles(
    realm: Realm, rename: Callable[[RoleKey], RoleKey | None], *, clients: Mapping[str, str] | None = None
) -> Realm:
    """Rename the roles in all mappings, None removes one, and the clients that have them. The same realm if
    there is nothing to change."""
    before = mappings_of_realm(realm)
    after: dict[Holder, tuple[RoleKey, ...]] = {}
    for holder, keys in before.items():
        if clients and holder.member == _CLIENT and holder.name in clients:
            holder = Holder.client(clients[holder.name])
        renamed = (new for each in keys if (new := rename(each)) is not None)
        after[holder] = tuple(dict.fromkeys((*after.get(holder, ()), *renamed)))
    return realm if after == before else _with(realm, after)


def without_holder(realm: Realm, *, client: str | None = None, client_scope: str | None = None) -> Realm:
    """Remove the mappings of a client or client scope that is deleted. The same realm if it has none."""
    gone = {Holder(_CLIENT, client or ""), Holder(_CLIENT_SCOPE, client_scope or "")}
    before = mappings_of_realm(realm)
    after = {holder: keys for holder, keys in before.items() if holder not in gone}
    return realm if after == before else _with(realm, after)


def projected_scope_mappings(realm: Realm) -> dict[str, RoleSet]:
    """Return, by client id, the roles that a client without full scope may have beside its own."""
    return _projected(realm, _CLIENT)


def projected_client_scope_roles(realm: Realm) -> dict[str, RoleSet]:
    """Return, by the names of client scopes, the roles that each brings into scope."""
    return _projected(realm, _CLIENT_SCOPE)


def _projected(realm: Realm, member: str) -> dict[str, RoleSet]:
    return {
        holder.name: as_role_set(keys)
        for holder, keys in mappings_of_realm(realm).items()
        if holder.member == member
    }


def _with(realm: Realm, mappings: Mappings) -> Realm:
    of_realm: dict[Holder, list[str]] = {}
    of_clients: dict[str, dict[Holder, list[str]]] = {}
    for holder, keys in mappings.items():
        for owner, name in keys:
            place = of_realm if owner is None else of_clients.setdefault(owner, {})
            place.setdefault(holder, []).append(name)
    written: dict[str, Any] = {
        SCOPE_MAPPINGS: _written(of_realm),
        CLIENT_SCOPE_MAPPINGS: {owner: _written(entries) for owner, entries in of_clients.items()},
    }
    return replace(realm, document={**realm.document, **written})


def _written(entries: Mapping[Holder, list[str]]) -> list[dict[str, Any]]:
    return [{holder.member: holder.name, ROLES: names} for holder, names in entries.items()]


def _entries(value: object) -> Iterator[tuple[Holder, str]]:
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, Mapping):
            continue
        names = entry.get(ROLES)
        for member in (_CLIENT, _CLIENT_SCOPE):
            if isinstance(named := entry.get(member), str):
                texts = names if isinstance(names, list) else ()
                yield from ((Holder(member, named), text) for text in texts if isinstance(text, str))
