"""Protocol mappers as nodes apply them. Their configuration is read once, when they are projected."""

from typing import Any, Final

import msgspec

ClaimPath = tuple[str, ...]
"""Names of nested members: the claim, and within it the member, and so on."""

CLIENT_ID_PLACEHOLDER: Final = "${client_id}"
"""Component of a path that stands for the id of the client whose roles a claim lists."""

REALM_ACCESS: Final = "realm_access"
RESOURCE_ACCESS: Final = "resource_access"
ROLES: Final = "roles"

PROTOCOL_CLAIMS: Final = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "azp", "client_uuid", "generation"}
    | {"typ", "acr", "preferred_username", "scope", "cnf"}
)
"""Claims that say who issued a token to whom, when and for what. The issuer of the token sets them."""

_NEVER: Final = (PROTOCOL_CLAIMS - {"sub", "preferred_username", "client_id"}) | {
    *("nonce", "sid", "session_state", "active", "token_type")
}
_OF_ITS_OWN: Final = {
    "sub": frozenset({"id", "client_id", "client_uuid", "username"}),
    "preferred_username": frozenset({"id", "client_id", "client_uuid", "username"}),
    "client_id": frozenset({"client_id"}),
}
"""Claims that only certain sources may set: what identifies the client must be something of its own."""

_ROLE_KINDS: Final = frozenset({"realm_roles", "client_roles"})


class ProjectedMapper(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A mapper. A node ignores a ``kind`` that it does not know.

    ``constant``: the claim has ``value``. ``identity``: the claim is what ``source`` names (``username``,
    ``client_id``, ``client_uuid``, ``id``: of the service account), in an array if ``multivalued``. ``note``:
    it is the caller's address (``source``: ``clientHost`` or ``clientAddress``). ``allowed_origins``: it
    lists the client's web origins. ``audience``: ``value`` is one. ``audience_resolve``: so are the other
    clients whose roles the token has. ``hardcoded_role``: the token has ``role`` of ``owner``.
    ``role_name``: ``role`` of ``owner`` is called ``new_role`` of ``new_owner`` instead. ``realm_roles``,
    ``client_roles``: the claim lists roles, with ``prefix`` before each; only those of ``owner``, if given;
    the first one if not ``multivalued``.

    ``in_token``, ``in_introspection``, ``in_lightweight``: where the claim is.
    """

    kind: str
    claim: ClaimPath = ()
    value: Any = None
    source: str = ""
    multivalued: bool = False
    owner: str | None = None
    role: str = ""
    new_owner: str | None = None
    new_role: str = ""
    prefix: str = ""
    in_token: bool = True
    in_introspection: bool = True
    in_lightweight: bool = False


def refused_claim(mapper: ProjectedMapper, path: ClaimPath | None = None) -> str | None:
    """Return the claim that a mapper must not set; None if it may set what it sets. ``path``: of its claim,
    with the id of a client in place of ``CLIENT_ID_PLACEHOLDER``."""
    claim = mapper.claim if path is None else path
    if not claim:
        return None
    name = claim[0]
    if name in _NEVER:
        return name
    if (sources := _OF_ITS_OWN.get(name)) is not None:
        is_own = mapper.kind == "identity" and mapper.source in sources and not mapper.multivalued
        return None if is_own and len(claim) == 1 else name
    if name in (REALM_ACCESS, RESOURCE_ACCESS):
        length = 2 if name == REALM_ACCESS else 3
        is_roles = mapper.kind in _ROLE_KINDS and mapper.multivalued
        return None if is_roles and len(claim) == length and claim[-1] == ROLES else name
    return None


ROLES_SCOPE: Final = "roles"
ROLES_MAPPERS: Final = (
    ProjectedMapper(kind="realm_roles", claim=(REALM_ACCESS, ROLES), multivalued=True),
    ProjectedMapper(
        kind="client_roles", claim=(RESOURCE_ACCESS, CLIENT_ID_PLACEHOLDER, ROLES), multivalued=True
    ),
    ProjectedMapper(kind="audience_resolve"),
)
"""Mappers of the client scope ``roles``, as Keycloak creates it."""

MAPPERS_OF_EARLIER_BUILDS: Final = {ROLES_SCOPE: ROLES_MAPPERS}
"""Mappers of the scopes of a realm whose projection an earlier build made."""
