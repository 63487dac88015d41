"""Descriptions of clients' certificates, archives and keys."""

from typing import Final

from keyturn_credentials.keystores import KeyPairKind
from keyturn_credentials.web.openapi.builders import (
    Body,
    Content,
    Operation,
    array_of,
    done,
    json_content,
    reference,
)

_ONE: Final = "/admin/realms/{realm}/clients/{uuid}"
_CERTIFICATES: Final = f"{_ONE}/certificates/{{attr}}"
_CERTIFICATE: Final = {
    200: json_content("The current credential.", reference("CertificateRepresentation")),
}
_ARCHIVE: Final = {
    200: Content("The archive.", {"application/octet-stream": {"type": "string", "format": "binary"}})
}
_REPLACES_URL: Final = {
    "replaceJwksUrl": {
        "type": "boolean",
        "description": "the client stops using its JWKS URL in the same change",
    }
}
_UPLOAD: Final = Operation(
    "Set the public keys in an archive, a PEM file or a JSON Web Key Set. A private key in it is not stored.",
    {200: json_content("The current credential.", reference("CertificateRepresentation"), "Keyturn-Notice")},
    refusals=(415,),
    body=Body(reference("Upload"), "multipart/form-data"),
    query=_REPLACES_URL,
    changes=True,
    takes_version=True,
)

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _CERTIFICATES): Operation("Show the current certificate or public key.", _CERTIFICATE),
    ("POST", f"{_CERTIFICATES}/generate"): Operation(
        "Generate a key pair and a certificate; the private key is in the response and stored nowhere.",
        _CERTIFICATE,
        query={"keyType": {"enum": [*KeyPairKind]}, **_REPLACES_URL},
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_CERTIFICATES}/generate-and-download"): Operation(
        "Like generate, but with the private key in an archive.",
        _ARCHIVE,
        refusals=(406,),
        body=Body(reference("KeyStoreConfig")),
        query=_REPLACES_URL,
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_CERTIFICATES}/download"): Operation(
        "Download the certificate in an archive, without the private key, which is not stored.",
        _ARCHIVE,
        refusals=(406,),
        body=Body(reference("KeyStoreConfig")),
    ),
    ("POST", f"{_CERTIFICATES}/upload"): _UPLOAD,
    ("POST", f"{_CERTIFICATES}/upload-certificate"): _UPLOAD,
    ("POST", f"{_ONE}/jwks-url/test"): Operation(
        "Test-fetch the client's JWKS URL, or the one in the body, with all guards. Nothing is stored.",
        {200: json_content("The keys, or the reason why there are none.", reference("JwksUrlTest"))},
        body=Body({"type": "object", "properties": {"url": {"type": "string"}}}, required=False),
    ),
    ("GET", f"{_ONE}/keys"): Operation(
        "List the client's keys, including revoked ones.",
        {200: json_content("Keys.", array_of("ClientKey"))},
    ),
    ("GET", f"{_ONE}/usage"): Operation(
        "Show when the client's credentials were last used, as recorded in Redis.",
        {200: json_content("Uses.", reference("CredentialUses"))},
    ),
    ("GET", f"{_ONE}/refusals"): Operation(
        "List recent refused authentications of the client, newest first: a sample, as recorded in Redis.",
        {200: json_content("Refusals.", array_of("ClientRefusal"))},
        query={"max": {"type": "integer", "minimum": 0, "maximum": 100, "default": 20}},
    ),
    ("POST", f"{_ONE}/keys/{{thumbprint}}/revoke"): Operation(
        "Revoke a key permanently, under any kid, whatever the JWKS URL serves.",
        done(),
        refusals=(409,),
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_ONE}/clear-keys-cache"): Operation(
        "Clear the key set fetched for the client, including a fetch in progress.",
        done(),
        changes=True,
        takes_version=True,
    ),
}
