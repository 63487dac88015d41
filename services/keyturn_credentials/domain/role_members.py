"""Members of Keycloak's RoleRepresentation, and names of roles. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain.bounds import check_text
from keyturn_credentials.domain.private_key_guard import refuse_private_keys
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import MAX_NAME, RoleKey
from keyturn_credentials.domain.roles import MASTER, Role
from keyturn_credentials.errors import InvalidRequestError

_KEPT: Final = ("description", "attributes")
_MEMBERS: Final = frozenset({"id", "name", "composite", "composites", "clientRole", "containerId"}) | {
    "scopeParamRequired",
    *_KEPT,
}
_REALM_MANAGEMENT: Final = "realm-management"
_OF_A_REALM: Final = "-realm"
MAX_ROLE_ATTRIBUTES: Final = 100
"""Attributes of one role, and values of each."""


def name_of(representation: Mapping[str, Any]) -> str:
    """Return the name. Raises InvalidRequestError."""
    name = representation.get("name")
    if name is None:
        raise InvalidRequestError("role has no name")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidRequestError(f"the name of a role must be 1 to {MAX_NAME} printable characters long")
    if name != name.strip():
        raise InvalidRequestError("the name of a role must not begin or end with a space")
    return name


def members_of(representation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that are kept as they are. Raises InvalidRequestError for one that Keycloak does not
    have, or of another shape. Members that Keycloak derives are ignored, as it does."""
    for name in representation:
        if name not in _MEMBERS:
            raise InvalidRequestError(f'unrecognized field "{name[:100]}"')
    for name in ("id", "description", "containerId"):
        if not isinstance(representation.get(name), str | None):
            raise InvalidRequestError(f"{name} must be a string")
    _check_composites(representation.get("composites"))
    _check_attributes(representation.get("attributes"))
    kept = {name: value for name in _KEPT if (value := representation.get(name)) is not None}
    if "description" in kept:
        check_text("description", kept["description"])
    refuse_private_keys(kept)
    return kept


def is_misleading(realm: Realm, key: RoleKey) -> bool:
    """Return whether a role gives power over Keycloak in Keycloak, and would give none over keyturn."""
    owner, name = key
    if owner is None:
        return realm.name == MASTER and name in (Role.ADMIN, Role.CREATE_REALM)
    return owner == _REALM_MANAGEMENT or (realm.name == MASTER and owner.endswith(_OF_A_REALM))


def refuse_misleading(realm: Realm, key: RoleKey) -> None:
    """Raise InvalidRequestError for a misleading role: somebody would believe that it gives power."""
    if is_misleading(realm, key):
        raise InvalidRequestError(
            f"role {key[1][:100]} gives no power over keyturn: administrators are clients with the attribute"
            " keyturn.admin.roles"
        )


def _check_composites(value: object) -> None:
    if value is None:
        return
    is_good = isinstance(value, Mapping) and value.keys() <= {"realm", "client"}
    if isinstance(value, Mapping) and is_good:
        by_client = value.get("client")
        lists = [value.get("realm"), *(by_client.values() if isinstance(by_client, Mapping) else ())]
        is_good = isinstance(by_client, Mapping | None) and all(_is_texts(each) for each in lists)
    if not is_good:
        raise InvalidRequestError("composites must have names of roles: of the realm, and of clients")


def _check_attributes(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping) or not all(_is_texts(values) for values in value.values()):
        raise InvalidRequestError("attributes must be an object whose values are arrays of strings")
    if max(len(value), *(len(values or ()) for values in value.values()), 0) > MAX_ROLE_ATTRIBUTES:
        raise InvalidRequestError(
            f"a role has at most {MAX_ROLE_ATTRIBUTES} attributes, each with as many values"
        )
    for name, values in value.items():
        check_text("the name of an attribute", name)
        for text in values or ():
            check_text(f"attribute {name[:100]}", text)


def _is_texts(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(text, str) for text in value))
