"""A body for each route that changes a client."""

from typing import Any, Final

from tests.integration.credentials.routes import CLIENT

_ARCHIVE: Final = {"format": "PKCS12", "storePassword": "store", "keyPassword": "store", "keyAlias": "a"}
_UPLOAD: Final = {"keystoreFormat": "Certificate PEM"}

# A valid body for each changing route.
REQUESTS: Final[dict[str, dict[str, Any]]] = {
    f"PUT {CLIENT}": {"json": {"description": "changed"}},
    f"DELETE {CLIENT}": {},
    f"POST {CLIENT}/client-secret": {},
    f"DELETE {CLIENT}/client-secret/rotated": {},
    f"POST {CLIENT}/rotations": {"json": {"reason": "compromised"}},
    f"POST {CLIENT}/certificates/{{attr}}/generate": {},
    f"POST {CLIENT}/certificates/{{attr}}/generate-and-download": {"json": _ARCHIVE},
    f"POST {CLIENT}/certificates/{{attr}}/upload": {"data": _UPLOAD, "files": "certificate"},
    f"POST {CLIENT}/certificates/{{attr}}/upload-certificate": {"data": _UPLOAD, "files": "certificate"},
    f"POST {CLIENT}/keys/{{thumbprint}}/revoke": {},
    f"POST {CLIENT}/clear-keys-cache": {},
    **{
        f"{method} {CLIENT}/{name}-client-scopes/{{scope}}": {}
        for name in ("default", "optional")
        for method in ("PUT", "DELETE")
    },
}
MAPPER: Final = {
    "id": "a-mapper",
    "name": "a-mapper",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-hardcoded-claim-mapper",
    "config": {"claim.name": "tier", "claim.value": "gold", "access.token.claim": "true"},
}


def mapper_requests(owner: str) -> dict[str, dict[str, Any]]:
    """Return a body for each route that changes the mappers of a client or client scope, which has
    ``MAPPER``."""
    models = f"{owner}/protocol-mappers/models"
    created = {**MAPPER, "id": None}
    return {
        f"POST {models}": {"json": {**created, "name": "created"}},
        f"POST {owner}/protocol-mappers/add-models": {"json": [{**created, "name": "added"}]},
        f"PUT {models}/{{mapper}}": {"json": {**MAPPER, "consentText": "changed"}},
        f"DELETE {models}/{{mapper}}": {},
    }


# The same for roles of a client, one of which is called "a-role", for its scope and for its mappers.
ROLE_REQUESTS: Final[dict[str, dict[str, Any]]] = {
    f"POST {CLIENT}/roles": {"json": {"name": "created"}},
    f"PUT {CLIENT}/roles/{{role}}": {"json": {"name": "a-role", "description": "changed"}},
    f"POST {CLIENT}/roles/{{role}}/composites": {"json": []},
    f"DELETE {CLIENT}/roles/{{role}}/composites": {"json": []},
    f"DELETE {CLIENT}/roles/{{role}}": {},
    **{
        f"{method} {CLIENT}/scope-mappings/{kind}": {"json": []}
        for method in ("POST", "DELETE")
        for kind in ("realm", "clients/{client}")
    },
    **mapper_requests(CLIENT),
}
# They have a changing method, but change nothing.
ONLY_READ: Final = {
    f"POST {CLIENT}/evaluate",
    f"POST {CLIENT}/certificates/{{attr}}/download",
    f"POST {CLIENT}/jwks-url/test",
    f"POST {CLIENT}/push-revocation",
}
