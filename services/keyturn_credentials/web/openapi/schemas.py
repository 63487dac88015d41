"""Schemas of requests and answers, with Keycloak's names for Keycloak's shapes."""

from typing import Any, Final

from keyturn_credentials.domain.authenticators import AUTHENTICATORS
from keyturn_credentials.domain.identity_provider_members import REVOKED_KEYS, REVOKED_SUBJECTS
from keyturn_credentials.domain.protocol_mappers import MAX_MAPPERS
from keyturn_credentials.domain.trusted_issuers import PROVIDERS
from keyturn_credentials.keystores import KeyPairKind, KeyStoreFormat
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import Action
from keyturn_credentials.web.openapi.builders import (
    MAYBE_TIME,
    TIME,
    Schema,
    object_of,
    record_of,
    reference,
)

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_MAYBE_TEXT: Final[dict[str, Any]] = {"type": ["string", "null"]}
_FLAG: Final[dict[str, Any]] = {"type": "boolean"}
_MAYBE_FLAG: Final[dict[str, Any]] = {"type": ["boolean", "null"]}
_WHOLE: Final[dict[str, Any]] = {"type": "integer"}
_NAMES: Final[dict[str, Any]] = {"type": ["array", "null"], "items": _TEXT}
_COUNTS: Final = ("added", "overwritten", "skipped", "refused")
_OUTCOME: Final[dict[str, Any]] = {
    "action": {"enum": [*Action]},
    "id": _MAYBE_TEXT,
    "notes": {"type": "array", "items": _TEXT},
}
_ATTRIBUTES: Final[dict[str, Any]] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    "description": "Unknown ones are kept. An attribute with an empty or null value is removed.",
}

_MAYBE_NUMBER_OF_BITS: Final[dict[str, Any]] = {"type": ["integer", "null"]}
_KEY: Final = {
    "kid": _MAYBE_TEXT,
    "thumbprint": {**_TEXT, "description": "RFC 7638, SHA-256, base64url"},
    "kty": _MAYBE_TEXT,
    "crv": _MAYBE_TEXT,
    "bits": _MAYBE_NUMBER_OF_BITS,
    "alg": _MAYBE_TEXT,
    "use": _MAYBE_TEXT,
}
_MAPPERS: Final = {
    "type": ["array", "null"],
    "items": reference("ProtocolMapperRepresentation"),
    "maxItems": MAX_MAPPERS,
}
_CLIENT: Final = {
    "id": _MAYBE_TEXT,
    "clientId": _MAYBE_TEXT,
    "name": _MAYBE_TEXT,
    "description": _MAYBE_TEXT,
    "enabled": _MAYBE_FLAG,
    "clientAuthenticatorType": {"enum": [*AUTHENTICATORS, None]},
    "secret": {**_MAYBE_TEXT, "description": "`**********` for callers who are not allowed to see it"},
    "publicClient": _MAYBE_FLAG,
    "bearerOnly": _MAYBE_FLAG,
    "serviceAccountsEnabled": _MAYBE_FLAG,
    "protocol": _MAYBE_TEXT,
    "rootUrl": _MAYBE_TEXT,
    "redirectUris": _NAMES,
    "webOrigins": _NAMES,
    "defaultClientScopes": _NAMES,
    "optionalClientScopes": _NAMES,
    "protocolMappers": _MAPPERS,
    "attributes": _ATTRIBUTES,
}
_REALM: Final = {
    "id": _MAYBE_TEXT,
    "realm": _MAYBE_TEXT,
    "displayName": _MAYBE_TEXT,
    "enabled": _MAYBE_FLAG,
    "accessTokenLifespan": {"type": ["integer", "null"], "minimum": 1, "maximum": 86400},
    "attributes": _ATTRIBUTES,
}
_EXPORTED_CLIENTS: Final = {"type": "array", "items": reference("ClientRepresentation")}

SCHEMAS: Final[dict[str, Schema]] = {
    "Problem": object_of(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": _WHOLE,
            "detail": _TEXT,
            "code": {**_TEXT, "description": "stable"},
            "error": {**_TEXT, "description": "as in Keycloak"},
            "errorMessage": {**_TEXT, "description": "as in Keycloak"},
            "errors": {
                "type": "array",
                "items": object_of({"detail": _TEXT, "pointer": _TEXT}, "detail", "pointer"),
                "description": "if several members can be wrong: each, with its JSON Pointer",
            },
        },
        *("type", "title", "status", "detail", "code", "error", "errorMessage"),
        description="RFC 9457 problem details, with the members of Keycloak's ErrorRepresentation",
    ),
    "ClientRepresentation": object_of(
        _CLIENT,
        more=True,
        description="Other members of Keycloak's representation are accepted too; unknown ones are refused.",
    ),
    "NewClientRepresentation": object_of(
        {**_CLIENT, "clientId": {**_TEXT, "minLength": 1, "maxLength": 255}}, "clientId", more=True
    ),
    "RealmRepresentation": object_of(
        _REALM,
        more=True,
        description="Other members of Keycloak's representation are accepted too; unknown ones are refused.",
    ),
    "NewRealmRepresentation": object_of(
        {**_REALM, "realm": {**_TEXT, "minLength": 1}, "clients": _EXPORTED_CLIENTS}, "realm", more=True
    ),
    "RealmExport": object_of({**_REALM, "clients": _EXPORTED_CLIENTS}, "id", "realm", more=True),
    "ClientScopeRepresentation": object_of(
        {
            "id": _MAYBE_TEXT,
            "name": _MAYBE_TEXT,
            "description": _MAYBE_TEXT,
            "protocol": {"enum": ["openid-connect", None]},
            "attributes": {"type": ["object", "null"], "additionalProperties": _MAYBE_TEXT},
            "protocolMappers": _MAPPERS,
        },
        description="`include.in.token.scope`: `false` keeps its name out of a token's scope",
    ),
    "IdentityProviderRepresentation": object_of(
        {
            "alias": _MAYBE_TEXT,
            "internalId": _MAYBE_TEXT,
            "providerId": {"enum": [*PROVIDERS, None]},
            "enabled": {"type": ["boolean", "null"]},
            "displayName": _MAYBE_TEXT,
            "config": {
                "type": ["object", "null"],
                "additionalProperties": {"type": ["string", "boolean", "null"]},
            },
            REVOKED_KEYS: {"type": ["object", "null"], "additionalProperties": {"type": "number"}},
            REVOKED_SUBJECTS: {"type": ["object", "null"], "additionalProperties": {"type": "number"}},
        },
        more=True,
        description="an issuer that states who clients are; docs/workload-identity.md lists `config`",
    ),
    "ProtocolMapperRepresentation": object_of(
        {
            "id": _MAYBE_TEXT,
            "name": {**_TEXT, "minLength": 1, "maxLength": 255},
            "protocol": {**_MAYBE_TEXT, "description": "openid-connect if absent"},
            "protocolMapper": {**_TEXT, "minLength": 1, "maxLength": 255, "description": "the type"},
            "consentRequired": _MAYBE_FLAG,
            "consentText": _MAYBE_TEXT,
            "config": {"type": ["object", "null"], "additionalProperties": _MAYBE_TEXT},
        },
        *("name", "protocolMapper"),
        description="Keyturn-Notice says which have no effect; a claim that no mapper may set is refused.",
    ),
    "CredentialRepresentation": object_of({"type": {"const": "secret"}, "value": _TEXT}, "type"),
    "CertificateRepresentation": object_of(
        {
            "privateKey": {**_TEXT, "description": "only in the response of generate"},
            "publicKey": _TEXT,
            "certificate": _TEXT,
            "kid": _TEXT,
        }
    ),
    "KeyStoreConfig": object_of(
        {
            "format": {"enum": [KeyStoreFormat.JKS, KeyStoreFormat.PKCS12]},
            "keyAlias": {**_MAYBE_TEXT, "description": "the client id if absent"},
            "keyPassword": _MAYBE_TEXT,
            "storePassword": _MAYBE_TEXT,
            "realmAlias": {**_MAYBE_TEXT, "description": "the realm's name if absent"},
            "realmCertificate": {**_MAYBE_FLAG, "description": "null is true, as in Keycloak"},
            "keySize": {"enum": [2048, 3072, 4096, None]},
            "keyType": {"enum": [*KeyPairKind, None]},
            "validity": {"type": ["integer", "null"], "description": "years"},
        },
        "format",
        more=True,
    ),
    "Upload": object_of(
        {
            "keystoreFormat": {"enum": [*KeyStoreFormat]},
            "file": {**_TEXT, "format": "binary"},
            "keyAlias": _TEXT,
            "keyPassword": _TEXT,
            "storePassword": _TEXT,
        },
        "keystoreFormat",
        "file",
    ),
    "ClientKey": record_of(
        {**_KEY, "source": {"enum": ["certificate", "jwks", "jwks_url", None]}}
        | {"since": MAYBE_TIME, "not_after": MAYBE_TIME, "revoked_at": MAYBE_TIME}
        | {"certificate": {"anyOf": [reference("KeyCertificate"), {"type": "null"}]}}
    ),
    "KeyCertificate": record_of(
        {
            "subject": _TEXT,
            "issuer": _TEXT,
            "serial": {**_TEXT, "description": "hexadecimal"},
            "not_before": TIME,
            "not_after": TIME,
            "sha256": {**_TEXT, "description": "fingerprint of the certificate, hexadecimal"},
        }
    ),
    "CredentialUses": record_of(
        {
            "secret": MAYBE_TIME,
            "former_secret": MAYBE_TIME,
            "keys": {"type": "object", "additionalProperties": TIME, "description": "by thumbprint"},
        }
    ),
    "JwksUrlTest": object_of(
        {
            "url": _TEXT,
            "keys": {"type": "array", "items": record_of(_KEY)},
            "skipped": {
                "type": "array",
                "items": record_of({"kid": _MAYBE_TEXT, "reason": _TEXT, "detail": _TEXT}),
            },
            "error": {**_TEXT, "description": "the reason why there are no keys: a stable code"},
            "detail": _TEXT,
        },
        "url",
        "keys",
    ),
    "KeysMetadataRepresentation": record_of(
        {
            "active": {"type": "object", "additionalProperties": _TEXT},
            "rotatesAt": MAYBE_TIME,
            "keys": {
                "type": "array",
                "items": record_of(
                    {"kid": _TEXT, "algorithm": _TEXT, "type": _TEXT, "use": _TEXT}
                    | {"status": {"enum": ["ACTIVE", "PASSIVE"]}}
                    | {"state": {"enum": ["next", "active", "retiring"]}}
                    | {"purpose": {"enum": ["clients", "administrators"]}}
                    | {"createdAt": _WHOLE, "stateSince": _WHOLE, "publicJwk": {"type": "object"}}
                    | {"endsAt": MAYBE_TIME}
                ),
            },
        }
    ),
    "PartialImport": object_of(
        {"ifResourceExists": {"enum": [*IfExists]}, "clients": _EXPORTED_CLIENTS}, "clients", more=True
    ),
    "GlobalRequestResult": record_of(
        {name: {"type": "array", "items": _TEXT} for name in ("successRequests", "failedRequests")}
    ),
    "PartialImportResults": object_of(
        {
            **dict.fromkeys(_COUNTS, _WHOLE),
            "dryRun": _FLAG,
            "realm": record_of({"name": _TEXT, **_OUTCOME}),
            "results": {
                "type": "array",
                "items": record_of({"resourceType": _TEXT, "resourceName": _TEXT, **_OUTCOME}),
            },
        },
        *(*_COUNTS, "dryRun", "results"),
    ),
    "AuditEntry": record_of(
        {
            "id": _WHOLE,
            "time": TIME,
            "action": _TEXT,
            "sequence": {"type": ["integer", "null"]},
            "client_uuid": _MAYBE_TEXT,
            "client_id": _MAYBE_TEXT,
            "actor": object_of(
                {"realm": _MAYBE_TEXT, "client_id": _MAYBE_TEXT, "person": reference("Person")},
                *("realm", "client_id"),
            ),
            "remote_address": _MAYBE_TEXT,
            "details": {
                "type": "object",
                "description": "changed: names of changed members; changes: their old and new values",
            },
        }
    ),
    "Person": record_of({"issuer": _TEXT, "subject": _TEXT, "name": _TEXT}),
    "ClientRefusal": record_of({"time": TIME, "code": _TEXT, "method": _TEXT, "address": _MAYBE_TEXT}),
    "Event": record_of(
        {
            "sequence": _WHOLE,
            "id": _TEXT,
            "type": _TEXT,
            "time": TIME,
            "client_uuid": _MAYBE_TEXT,
            "client_id": _MAYBE_TEXT,
            "details": {"type": "object"},
        }
    ),
    "JwksUrlHealth": record_of(
        {
            "client_uuid": _TEXT,
            "client_id": _TEXT,
            "url": _TEXT,
            "health": {"type": ["object", "null"], "description": "null: not needed recently"},
        }
    ),
    "Fleet": object_of(
        {
            "head": _WHOLE,
            "sequence": _WHOLE,
            "safe": _FLAG,
            "applied": _WHOLE,
            "fenced": _WHOLE,
            "pending": {"type": "array", "items": _TEXT},
            "nodes": {
                "type": "array",
                "items": object_of(
                    {
                        "id": _TEXT,
                        "applied": _WHOLE,
                        "lag_ms": _WHOLE,
                        "lease": {"enum": ["held", "expired"]},
                        "certificate_methods": {
                            "type": "array",
                            "items": _TEXT,
                            "description": "RFC 8705: how the node checks client certificates; absent on a"
                            " node of an earlier release",
                        },
                    },
                    *("id", "applied", "lag_ms", "lease"),
                    more=True,
                ),
            },
        },
        *("head", "sequence", "safe", "applied", "fenced", "pending", "nodes"),
        more=True,
    ),
}
