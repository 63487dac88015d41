"""Client scopes of a realm: those of its representation, or else those of a new Keycloak realm. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from keyturn_credentials.domain.built_in_scopes import BUILT_IN, DEFAULT, MAPPERS_OF, OPTIONAL
from keyturn_credentials.domain.mapper_effects import check_effects
from keyturn_credentials.domain.protocol_mappers import (
    MAPPERS,
    MAX_REALM_BYTES,
    OPENID_CONNECT,
    mappers_in,
    normal,
    require_small,
)
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import InvalidRequestError, NotFoundError

CLIENT_SCOPES: Final = "clientScopes"
REALM_DEFAULT: Final = "defaultDefaultClientScopes"
REALM_OPTIONAL: Final = "defaultOptionalClientScopes"
INCLUDE_IN_TOKEN: Final = "include.in.token.scope"  # noqa: S105 - a name
REMOVED: Final = "keyturnRemoved"
"""Marks the entry of a removed scope. Without the entry, a client could still have the name as a scope that
its realm does not describe."""

MAX_SCOPES: Final = 500
"""Maximum number of client scopes of a realm. Its projection contains all of them."""
MAX_REALM_SCOPE_BYTES: Final = 4096
"""Maximum size of the names of a realm's default and optional scopes, all of which a token may contain."""

_IDS: Final = UUID("8a2d1c0e-5d0b-4b56-9d61-0c3a54d1f3b7")
"""Namespace of the ids of scopes without one (RFC 9562 section 5.5)."""


@dataclass(frozen=True, slots=True)
class ClientScope:
    """``representation``: Keycloak's ClientScopeRepresentation."""

    id: str
    name: str
    representation: Mapping[str, Any]

    @property
    def is_silent(self) -> bool:
        """True if a token's ``scope`` does not name it. Keycloak's default is that it does."""
        return _is_silent(self.representation)

    @property
    def mappers(self) -> list[dict[str, Any]]:
        """Its protocol mappers."""
        return mappers_in(self.representation, self.id)

    @property
    def is_for_tokens(self) -> bool:
        """True unless it is for another protocol, such as SAML."""
        return _is_for_tokens(self.representation)


def scopes_of_realm(realm: Realm) -> tuple[ClientScope, ...]:
    """Return all client scopes of the realm. Invalid entries that an earlier build kept are skipped."""
    return tuple(_of(realm, entry) for entry in _entries(realm))


def scopes_of_other_protocols(realm: Realm) -> frozenset[str]:
    """Return the names of the realm's scopes that are not for tokens, without building the scopes: this is
    asked for each client of a page."""
    return frozenset(entry["name"] for entry in _entries(realm) if not _is_for_tokens(entry))


def removed_scopes_of_realm(realm: Realm) -> frozenset[str]:
    """Return the names of scopes that were removed: clients may still have them in their lists."""
    stored = realm.document.get(CLIENT_SCOPES)
    entries = stored if isinstance(stored, list) else ()
    return frozenset(entry["name"] for entry in entries if _is_scope(entry) and entry.get(REMOVED))


def require_scope(realm: Realm, scope_id: str) -> ClientScope:
    """Return the scope with this id. Raises NotFoundError."""
    for scope in scopes_of_realm(realm):
        if scope.id == scope_id:
            return scope
    raise NotFoundError("Could not find client scope")


def scopes_named(realm: Realm, names: Iterable[str]) -> list[ClientScope]:
    """Return the scopes with these names, including names that the realm does not describe."""
    known = {scope.name: scope for scope in scopes_of_realm(realm)}
    return [known.get(name) or _of(realm, {"name": name, "protocol": OPENID_CONNECT}) for name in names]


def default_scopes_of_realm(realm: Realm) -> tuple[str, ...]:
    """Return the names of the scopes that clients without a list of their own always have."""
    return _names(realm, REALM_DEFAULT, DEFAULT)


def optional_scopes_of_realm(realm: Realm) -> tuple[str, ...]:
    """Return the names of the scopes that clients without a list of their own may request."""
    return _names(realm, REALM_OPTIONAL, OPTIONAL)


def silent_scopes_of_realm(realm: Realm) -> frozenset[str]:
    """Return the names that no token's ``scope`` has."""
    return frozenset(
        entry["name"] for entry in _entries(realm) if _is_silent(entry) or not _is_for_tokens(entry)
    )


def check_realm_scopes(before: Realm, after: Realm) -> None:
    """Raise InvalidRequestError if a change leaves invalid client scopes, or more than fit into a token."""
    changed = [
        name
        for name in (CLIENT_SCOPES, REALM_DEFAULT, REALM_OPTIONAL)
        if after.document.get(name) != before.document.get(name)
    ]
    for name in changed:
        value = after.document[name]
        if not isinstance(value, list):
            raise InvalidRequestError(f"{name} must be an array")
        if len(value) > MAX_SCOPES:
            raise InvalidRequestError(f"{name} has {len(value)} entries; at most {MAX_SCOPES} are allowed")
        if name == CLIENT_SCOPES:
            _check_scopes(value)
            _check_mappers(before, after)
            continue
        if not all(isinstance(entry, str) for entry in value):
            raise InvalidRequestError(f"{name} must be an array of strings")
        for entry in value:
            check_scope_name(entry)
    size = len(" ".join((*default_scopes_of_realm(after), *optional_scopes_of_realm(after))).encode())
    if changed and size > MAX_REALM_SCOPE_BYTES:
        raise InvalidRequestError(
            f"{REALM_DEFAULT} and {REALM_OPTIONAL} have {size} bytes together;"
            f" at most {MAX_REALM_SCOPE_BYTES} are allowed"
        )


def check_scope_name(name: object) -> str:
    """Return the name. Raises InvalidRequestError for one that no token could have (RFC 6749 section 3.3)."""
    if not isinstance(name, str) or not 0 < len(name) <= 255:
        raise InvalidRequestError("the name of a client scope must be 1 to 255 characters long")
    if any(not "!" <= character <= "~" or character in '"\\' for character in name):
        raise InvalidRequestError(
            f"client scope {name!r:.80}: a name must be of printable ASCII without spaces, quotes"
            " and backslashes"
        )
    return name


def _check_scopes(entries: list[Any]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise InvalidRequestError(f"{CLIENT_SCOPES} must be an array of objects")
        name = check_scope_name(entry.get("name"))
        if name in seen:
            raise InvalidRequestError(f"{CLIENT_SCOPES} has two entries with the name {name}")
        seen.add(name)


def _check_mappers(before: Realm, after: Realm) -> None:
    """Raise InvalidRequestError for protocol mappers that no scope may have, unless it had them before."""
    known = {scope.name: scope.mappers for scope in scopes_of_realm(before)}
    scopes = scopes_of_realm(after)
    for scope in scopes:
        if scope.mappers != known.get(scope.name):
            check_effects(scope.mappers, known.get(scope.name, ()))
    require_small([scope.mappers for scope in scopes], list(known.values()), MAX_REALM_BYTES)


def with_normal_mappers(entries: Any) -> Any:
    """Return the client scopes of a request with their protocol mappers as they are stored. Raises
    InvalidRequestError and ConflictError."""
    if not isinstance(entries, list):
        return entries
    return [
        {**entry, MAPPERS: normal(entry[MAPPERS])}
        if isinstance(entry, Mapping) and entry.get(MAPPERS) is not None
        else entry
        for entry in entries
    ]


def _is_scope(entry: object) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("name"), str)


def _of(realm: Realm, entry: Mapping[str, Any]) -> ClientScope:
    chosen, name = entry.get("id"), entry["name"]
    scope_id = chosen if isinstance(chosen, str) and chosen else _id_of(realm, name)
    mappers = entry.get(MAPPERS)
    if mappers is None:
        mappers = MAPPERS_OF.get(name, ()) if _is_for_tokens(entry) else ()
    listed = mappers_in({MAPPERS: list(mappers)} if isinstance(mappers, list | tuple) else {}, scope_id)
    representation = {key: value for key, value in entry.items() if key != MAPPERS}
    if listed or entry.get(MAPPERS) == []:
        representation[MAPPERS] = listed
    return ClientScope(scope_id, name, {**representation, "id": scope_id})


def _is_for_tokens(entry: Mapping[str, Any]) -> bool:
    return entry.get("protocol") in (None, "", OPENID_CONNECT)


def _is_silent(entry: Mapping[str, Any]) -> bool:
    values = entry.get("attributes")
    included = values.get(INCLUDE_IN_TOKEN) if isinstance(values, Mapping) else None
    return str(included).lower() == "false"


def _entries(realm: Realm) -> Iterator[Mapping[str, Any]]:
    """Yield the scopes as they are stored, or else those of a new realm."""
    stored = realm.document.get(CLIENT_SCOPES)
    if isinstance(stored, list):
        yield from (entry for entry in stored if _is_scope(entry) and not entry.get(REMOVED))
        return
    for name, description, is_named in BUILT_IN:
        yield {
            "name": name,
            "description": description,
            "protocol": OPENID_CONNECT,
            "attributes": {INCLUDE_IN_TOKEN: str(is_named).lower(), "display.on.consent.screen": "false"},
        }


def _id_of(realm: Realm, name: str) -> str:
    return str(uuid5(_IDS, f"{realm.id}:{name}"))


def _names(realm: Realm, member: str, built_in: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in one of the realm's lists. A realm that names its scopes, but not this list, has
    none in it."""
    value = realm.document.get(member)
    if isinstance(value, list):
        return tuple(name for name in value if isinstance(name, str))
    return () if isinstance(realm.document.get(CLIENT_SCOPES), list) else built_in
