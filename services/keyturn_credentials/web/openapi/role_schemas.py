"""Schemas of roles, and of the service accounts that have them."""

from typing import Any, Final

from keyturn_credentials.web.openapi.builders import Schema, array_of

_TEXT: Final = {"type": "string"}
_MAYBE_TEXT: Final = {"type": ["string", "null"]}
_MAYBE_FLAG: Final = {"type": ["boolean", "null"]}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_ROLES: Final = array_of("RoleRepresentation")
_CLIENT_MAPPINGS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"id": _TEXT, "client": _TEXT, "mappings": _ROLES},
    "required": ["id", "client", "mappings"],
    "additionalProperties": False,
}

ROLE_SCHEMAS: Final[dict[str, Schema]] = {
    "RoleRepresentation": {
        "type": "object",
        "properties": {
            "id": _MAYBE_TEXT,
            "name": {**_TEXT, "minLength": 1, "maxLength": 255},
            "description": _MAYBE_TEXT,
            "composite": _MAYBE_FLAG,
            "composites": {
                "type": ["object", "null"],
                "description": "of a new role: names of roles of the realm, and of clients by their ids",
            },
            "clientRole": _MAYBE_FLAG,
            "containerId": {**_MAYBE_TEXT, "description": "id of the realm or client whose role it is"},
            "attributes": {
                "type": ["object", "null"],
                "additionalProperties": {"type": ["array", "null"], "items": _TEXT},
            },
            "scopeParamRequired": _MAYBE_FLAG,
        },
        "required": ["name"],
        "additionalProperties": False,
    },
    "RoleReference": {
        "type": "object",
        "properties": {"id": _MAYBE_TEXT, "name": _MAYBE_TEXT},
        "required": [],
        "additionalProperties": True,
        "description": "a role as it was read",
    },
    "MappingsRepresentation": {
        "type": "object",
        "properties": {
            "realmMappings": _ROLES,
            "clientMappings": {"type": "object", "additionalProperties": _CLIENT_MAPPINGS},
        },
        "required": [],
        "additionalProperties": False,
        "description": "roles of the realm, and of clients by their ids",
    },
    "UserRepresentation": {
        "type": "object",
        "properties": {
            "id": {**_TEXT, "description": "`sub` of the client's tokens"},
            "username": _TEXT,
            "enabled": {"type": "boolean"},
            "emailVerified": {"const": False},
            "totp": {"const": False},
            "serviceAccountClientId": _TEXT,
            "disableableCredentialTypes": _TEXTS,
            "requiredActions": _TEXTS,
            "notBefore": {"const": 0},
            "access": {"type": "object", "additionalProperties": {"type": "boolean"}},
        },
        "required": ["id", "username"],
        "additionalProperties": False,
        "description": "the service account of a client",
    },
}
