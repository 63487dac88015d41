"""Types of protocol mappers: those of Keycloak, and what keyturn does with each."""

from dataclasses import dataclass
from typing import Final

HARDCODED_CLAIM: Final = "oidc-hardcoded-claim-mapper"
HARDCODED_ROLE: Final = "oidc-hardcoded-role-mapper"
ROLE_NAME: Final = "oidc-role-name-mapper"
REALM_ROLES: Final = "oidc-usermodel-realm-role-mapper"
CLIENT_ROLES: Final = "oidc-usermodel-client-role-mapper"
AUDIENCE: Final = "oidc-audience-mapper"
AUDIENCE_RESOLVE: Final = "oidc-audience-resolve-mapper"
NOTE: Final = "oidc-usersessionmodel-note-mapper"
PROPERTY: Final = "oidc-usermodel-property-mapper"
ATTRIBUTE: Final = "oidc-usermodel-attribute-mapper"
ALLOWED_ORIGINS: Final = "oidc-allowed-origins-mapper"
SUBJECT: Final = "oidc-sub-mapper"
ACR: Final = "oidc-acr-mapper"

ACCESS_TOKEN: Final = "access.token.claim"  # noqa: S105 - the name of a setting
INTROSPECTION: Final = "introspection.token.claim"
LIGHTWEIGHT: Final = "lightweight.claim"
CLAIM_NAME: Final = "claim.name"
CLAIM_TYPE: Final = "jsonType.label"
MULTIVALUED: Final = "multivalued"

_WHERE: Final = (ACCESS_TOKEN, LIGHTWEIGHT, INTROSPECTION)
_CLAIM: Final = (CLAIM_NAME, CLAIM_TYPE, *_WHERE)


@dataclass(frozen=True, slots=True)
class MapperType:
    """``effect``: what it does in tokens. ``settings``: names in its configuration that keyturn reads.
    ``priority``: Keycloak's; mappers with a lower one come first."""

    name: str
    effect: str
    settings: tuple[str, ...]
    priority: int = 0


IN_FORCE: Final[dict[str, MapperType]] = {
    HARDCODED_CLAIM: MapperType("Hardcoded claim", "the claim has this value", ("claim.value", *_CLAIM)),
    HARDCODED_ROLE: MapperType("Hardcoded Role", "every token has this role", ("role",), 20),
    ROLE_NAME: MapperType(
        "Role Name Mapper", "the role has another name in tokens", ("role", "new.role.name"), 10
    ),
    REALM_ROLES: MapperType(
        "User Realm Role",
        "the claim lists the service account's realm roles",
        ("usermodel.realmRoleMapping.rolePrefix", MULTIVALUED, *_CLAIM),
        40,
    ),
    CLIENT_ROLES: MapperType(
        "User Client Role",
        "the claim lists its roles of one client or of each",
        (
            "usermodel.clientRoleMapping.clientId",
            "usermodel.clientRoleMapping.rolePrefix",
            MULTIVALUED,
            *_CLAIM,
        ),
        40,
    ),
    AUDIENCE: MapperType(
        "Audience", "adds to aud", ("included.client.audience", "included.custom.audience", *_WHERE)
    ),
    AUDIENCE_RESOLVE: MapperType(
        "Audience Resolve", "adds the clients to aud whose roles the token has", _WHERE, 30
    ),
    NOTE: MapperType(
        "User Session Note",
        "the claim has the client's id (client_id, clientId) or the caller's address (clientHost,"
        " clientAddress)",
        ("user.session.note", *_CLAIM),
    ),
    PROPERTY: MapperType(
        "User Property",
        "the claim has a property of the service account: username, id, enabled, emailVerified,"
        " serviceAccountClientLink",
        ("user.attribute", *_CLAIM),
    ),
    ATTRIBUTE: MapperType(
        "User Attribute",
        "the claim has the service account's username; it has no other attribute",
        ("user.attribute", MULTIVALUED, *_CLAIM),
    ),
    ALLOWED_ORIGINS: MapperType(
        "Allowed Web Origins", "the claim allowed-origins lists the client's webOrigins", _WHERE
    ),
    SUBJECT: MapperType("Subject (sub)", "every token has sub, with or without it", _WHERE, -10),
    ACR: MapperType(
        "Authentication Context Class Reference (ACR)", "every token has acr, with or without it", _WHERE
    ),
}
"""Types that are in force."""

NO_EFFECT_ON_SERVICE_ACCOUNTS: Final = frozenset(
    {
        "oidc-address-mapper",
        "oidc-amr-mapper",
        "oidc-claims-param-token-mapper",
        "oidc-claims-param-value-idtoken-mapper",
        "oidc-full-name-mapper",
        "oidc-nonce-backwards-compatible-mapper",
        "oidc-organization-group-membership-mapper",
        "oidc-organization-membership-mapper",
        "oidc-session-state-mapper",
    }
)
"""Types about people and their sessions: they set nothing for a service account in Keycloak either."""

OTHERS: Final = ("oidc-group-membership-mapper", "oidc-sha256-pairwise-sub-mapper")
"""Types of Keycloak that could have an effect there, and have none here; so do scripts and custom ones."""
