"""Admin roles by group of the identity provider. Pure."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from keyturn_credentials.domain.roles import MASTER, ONLY_IN_MASTER, Role, read_roles
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError

MAX_GROUPS: Final = 64
"""Groups with roles: a session's cookie must have room for all of them."""
MAX_GROUP_CHARACTERS: Final = 255
_EXAMPLE: Final = '{"admins": {"master": ["admin"]}}'
_KEY_BYTES: Final = 12

Roles = Mapping[str, frozenset[Role]]
"""Roles by the name of their realm."""


@dataclass(frozen=True, slots=True)
class RoleMapping:
    """``by_key``: roles by ``key_of`` the group."""

    by_key: Mapping[str, Roles] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a JSON object of groups, each with an object of realms, each with a list of admin roles.
        Raises ConfigurationError with a line for each problem."""
        try:
            document = strict_json.decode_object(text.encode())
        except MalformedError as error:
            raise ConfigurationError(f"expected JSON such as {_EXAMPLE}: {error.detail}") from None
        if not 0 < len(document) <= MAX_GROUPS:
            raise ConfigurationError(f"{len(document)} groups; expected 1 to {MAX_GROUPS}")
        problems: list[str] = []
        found: dict[str, Roles] = {}
        for group, roles in document.items():
            try:
                found[key_of(group)] = _read_group(group, roles)
            except ConfigurationError as error:
                problems.append(f"group {group[:80]!r}: {error.detail}")
        if problems:
            raise ConfigurationError("\n".join(problems))
        return cls(found)

    def keys_among(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return the keys of those of these groups that have roles."""
        return tuple(sorted({key_of(group) for group in groups} & self.by_key.keys()))

    def roles_of(self, keys: Iterable[str]) -> Roles:
        """Return the roles of the groups with these keys; of one that has none any more, nothing."""
        held: dict[str, frozenset[Role]] = {}
        for key in keys:
            for realm, roles in self.by_key.get(key, {}).items():
                held[realm] = held.get(realm, frozenset()) | roles
        return held


def key_of(group: str) -> str:
    """Return a short text that stands for a group in a session."""
    digest = hashlib.sha256(group.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest[:_KEY_BYTES]).decode("ascii")


def _read_group(group: str, roles: Any) -> Roles:
    if not 0 < len(group) <= MAX_GROUP_CHARACTERS:
        raise ConfigurationError(f"a name has 1 to {MAX_GROUP_CHARACTERS} characters")
    if not isinstance(roles, dict) or not roles:
        raise ConfigurationError(f"expected an object of realms, as in {_EXAMPLE}")
    return {realm: _read_realm(realm, names) for realm, names in roles.items()}


def _read_realm(realm: str, names: Any) -> frozenset[Role]:
    if not realm or not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ConfigurationError(f"realm {realm[:80]!r}: expected a list of admin roles, as in {_EXAMPLE}")
    try:
        roles = read_roles(names)
    except InvalidRequestError as error:
        raise ConfigurationError(f"realm {realm[:80]!r}: {error.detail}") from None
    if realm != MASTER and (above := sorted(ONLY_IN_MASTER.intersection(names))):
        raise ConfigurationError(f"realm {realm[:80]!r}: {', '.join(above)} exists in {MASTER} only")
    return roles
