"""What is described of clients' certificates, archives and keys."""

from typing import Final

from keyturn_credentials.keystores import KeyPairKind
from keyturn_credentials.web.openapi.describing import (
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
    200: json_content("What is set.", reference("CertificateRepresentation")),
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
    "Set the public keys in an archive, a PEM file or a JSON Web Key Set. A private key in it is not kept.",
    _CERTIFICATE,
    refusals=(415,),
    body=Body(reference("Upload"), "multipart/form-data"),
    query=_REPLACES_URL,
    changes=True,
    takes_version=True,
)

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _CERTIFICATES): Operation("Show the certificate or public key that is set.", _CERTIFICATE),
    ("POST", f"{_CERTIFICATES}/generate"): Operation(
        "Make a key pair and its certificate; the private key is in the answer and nowhere else.",
        _CERTIFICATE,
        query={"keyType": {"enum": [*KeyPairKind]}, **_REPLACES_URL},
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_CERTIFICATES}/generate-and-download"): Operation(
        "As generate, with the private key in an archive.",
        _ARCHIVE,
        refusals=(406,),
        body=Body(reference("KeyStoreConfig")),
        query=_REPLACES_URL,
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_CERTIFICATES}/download"): Operation(
        "The certificate in an archive, without the private key, which is not kept.",
        _ARCHIVE,
        refusals=(406,),
        body=Body(reference("KeyStoreConfig")),
    ),
    ("POST", f"{_CERTIFICATES}/upload"): _UPLOAD,
    ("POST", f"{_CERTIFICATES}/upload-certificate"): _UPLOAD,
    ("POST", f"{_ONE}/jwks-url/test"): Operation(
        "Fetch the client's JWKS URL, or the one in the body, now and through the guards. Nothing is stored.",
        {200: json_content("The keys, or why there are none.", reference("JwksUrlTest"))},
        body=Body({"type": "object", "properties": {"url": {"type": "string"}}}, required=False),
    ),
    ("GET", f"{_ONE}/keys"): Operation(
        "List the client's keys, and those that are revoked.",
        {200: json_content("Keys.", array_of("ClientKey"))},
    ),
    ("GET", f"{_ONE}/usage"): Operation(
        "When the client's credentials were last used, as far as Redis knows.",
        {200: json_content("Uses.", reference("CredentialUses"))},
    ),
    ("POST", f"{_ONE}/keys/{{thumbprint}}/revoke"): Operation(
        "Refuse a key for ever, under any kid, whatever the JWKS URL serves.",
        done(),
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_ONE}/clear-keys-cache"): Operation(
        "Forget the key set fetched for the client, also one whose fetch is under way.",
        done(),
        changes=True,
        takes_version=True,
    ),
}
