"""``/admin/serverinfo``: version and features, which Keycloak's tools read before anything else."""

from importlib.metadata import version
from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.authenticators import AUTHENTICATORS
from keyturn_credentials.domain.mapper_types import IN_FORCE
from keyturn_credentials.domain.trusted_issuers import PROVIDER_NAMES
from keyturn_credentials.keystores import KeyStoreFormat
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.installation import KEYCLOAK_JSON
from keyturn_credentials.web.realms import ANY_ROLE
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES

KEYCLOAK_API: Final = "26.7.3"
"""Keycloak version whose admin API this is compatible with. Tools adapt their requests to it."""

_MAPPER_TYPES: Final = [
    {
        "id": provider,
        "name": kind.name,
        "category": "Token mapper",
        "helpText": kind.effect,
        "priority": kind.priority,
        "properties": [{"name": name, "label": name, "type": "String"} for name in kind.settings],
    }
    for provider, kind in IN_FORCE.items()
]

_DOCUMENT: Final[dict[str, Any]] = {
    "systemInfo": {"version": KEYCLOAK_API},
    "profileInfo": {
        "name": f"keyturn {version('keyturn')}",
        "disabledFeatures": [],
        "previewFeatures": [],
        "experimentalFeatures": [],
    },
    "features": [],
    "cryptoInfo": {
        "cryptoProvider": "keyturn",
        "supportedKeystoreTypes": sorted(KeyStoreFormat),
        "clientSignatureSymmetricAlgorithms": sorted(SYMMETRIC_NAMES),
        "clientSignatureAsymmetricAlgorithms": sorted(ASYMMETRIC_NAMES),
    },
    "themes": {},
    "socialProviders": [],
    "identityProviders": [
        {"groupName": "User-defined", "name": name, "id": provider}
        for provider, name in PROVIDER_NAMES.items()
    ],
    "clientImporters": [],
    "providers": {
        "client-authenticator": {"internal": False, "providers": {name: {} for name in AUTHENTICATORS}},
        "login-protocol": {"internal": False, "providers": {"openid-connect": {}}},
    },
    "protocolMapperTypes": {"openid-connect": _MAPPER_TYPES},
    "builtinProtocolMappers": {"openid-connect": []},
    "clientInstallations": {"openid-connect": [{"id": KEYCLOAK_JSON, "protocol": "openid-connect"}]},
    "componentTypes": {},
    "passwordPolicies": [],
    "enums": {},
}


class ServerInfoRoutes:
    """Handler of Keycloak's ServerInfoAdminResource."""

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [gate.route("/admin/serverinfo", {"GET": Endpoint(self.show, ANY_ROLE)})]

    async def show(self, _: Call) -> Response:
        return JSONResponse(_DOCUMENT)
