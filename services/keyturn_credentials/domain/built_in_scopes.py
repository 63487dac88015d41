"""Client scopes of a new realm, with the protocol mappers that Keycloak gives them."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain import mapper_types as types
from keyturn_credentials.domain.protocol_mappers import OPENID_CONNECT

_IN_TOKENS: Final = {types.INTROSPECTION: "true", types.ACCESS_TOKEN: "true"}
_IN_ID_TOKENS: Final = {**_IN_TOKENS, "id.token.claim": "true"}
_FOR_PEOPLE: Final = {**_IN_ID_TOKENS, "userinfo.token.claim": "true"}


def _mapper(name: str, kind: str, config: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": OPENID_CONNECT,
        "protocolMapper": kind,
        "consentRequired": False,
        "config": dict(config),
    }


def _claim(claim: str, kind: str = "String") -> dict[str, str]:
    return {types.CLAIM_NAME: claim, types.CLAIM_TYPE: kind}


def _attribute(name: str, attribute: str, claim: str, kind: str = "String") -> dict[str, Any]:
    return _mapper(name, types.ATTRIBUTE, {**_FOR_PEOPLE, "user.attribute": attribute, **_claim(claim, kind)})


def _note(name: str, note: str, claim: str, kind: str = "String") -> dict[str, Any]:
    return _mapper(name, types.NOTE, {**_IN_ID_TOKENS, "user.session.note": note, **_claim(claim, kind)})


def _roles(name: str, kind: str, claim: str, where: Mapping[str, str] = _IN_TOKENS) -> dict[str, Any]:
    return _mapper(name, kind, {**where, "user.attribute": "foo", types.MULTIVALUED: "true", **_claim(claim)})


_ADDRESS: Final = ("formatted", "country", "postal_code", "street", "region", "locality")

MAPPERS_OF: Final[Mapping[str, tuple[dict[str, Any], ...]]] = {
    "acr": (_mapper("acr loa level", types.ACR, _IN_ID_TOKENS),),
    "basic": (
        _mapper("sub", types.SUBJECT, _IN_TOKENS),
        _note("auth_time", "AUTH_TIME", "auth_time", "long"),
    ),
    "roles": (
        _roles("realm roles", types.REALM_ROLES, "realm_access.roles"),
        _roles("client roles", types.CLIENT_ROLES, "resource_access.${client_id}.roles"),
        _mapper("audience resolve", types.AUDIENCE_RESOLVE, _IN_TOKENS),
    ),
    "web-origins": (_mapper("allowed web origins", types.ALLOWED_ORIGINS, _IN_TOKENS),),
    "service_account": (
        _note("Client ID", "client_id", "client_id"),
        _note("Client Host", "clientHost", "clientHost"),
        _note("Client IP Address", "clientAddress", "clientAddress"),
    ),
    "profile": (
        _attribute("username", "username", "preferred_username"),
        _mapper("full name", "oidc-full-name-mapper", _FOR_PEOPLE),
        _attribute("given name", "firstName", "given_name"),
        _attribute("family name", "lastName", "family_name"),
        _attribute("middle name", "middleName", "middle_name"),
        *(
            _attribute(name, name, name)
            for name in (
                *("nickname", "profile", "picture", "website"),
                *("gender", "birthdate", "zoneinfo", "locale"),
            )
        ),
        _attribute("updated at", "updatedAt", "updated_at", "long"),
    ),
    "email": (
        _attribute("email", "email", "email"),
        _mapper(
            "email verified",
            types.PROPERTY,
            {**_FOR_PEOPLE, "user.attribute": "emailVerified", **_claim("email_verified", "boolean")},
        ),
    ),
    "address": (
        _mapper(
            "address",
            "oidc-address-mapper",
            {**_FOR_PEOPLE, **{f"user.attribute.{name}": name for name in _ADDRESS}},
        ),
    ),
    "phone": (
        _attribute("phone number", "phoneNumber", "phone_number"),
        _attribute("phone number verified", "phoneNumberVerified", "phone_number_verified", "boolean"),
    ),
    "microprofile-jwt": (
        _attribute("upn", "username", "upn"),
        _roles("groups", types.REALM_ROLES, "groups", _IN_ID_TOKENS),
    ),
}
"""Protocol mappers by the name of the scope. A scope with such a name whose representation has no
``protocolMappers`` has these."""

# Names, descriptions, and whether a token's scope names them. Scopes about users are optional here, because
# ``profile email`` has no meaning in a program's token.
BUILT_IN: Final = (
    ("acr", "The claim acr", False),
    ("basic", "The claims that every token has", False),
    ("roles", "The claims realm_access and resource_access", False),
    ("web-origins", "The claim allowed-origins", False),
    ("service_account", "The claims clientHost and clientAddress", False),
    ("profile", "OpenID Connect built-in scope: profile", True),
    ("email", "OpenID Connect built-in scope: email", True),
    ("address", "OpenID Connect built-in scope: address", True),
    ("phone", "OpenID Connect built-in scope: phone", True),
    ("microprofile-jwt", "Microprofile - JWT built-in scope", True),
)
DEFAULT: Final = ("acr", "basic", "roles", "web-origins")
OPTIONAL: Final = ("address", "email", "microprofile-jwt", "phone", "profile")
