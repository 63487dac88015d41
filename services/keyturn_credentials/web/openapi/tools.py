"""Descriptions of the endpoints that Keycloak's tools only read."""

from typing import Any, Final

from keyturn_credentials.web.openapi.builders import FLAG, Operation, json_content

_REALM: Final = "/admin/realms/{realm}"
_CLIENT: Final = f"{_REALM}/clients/{{uuid}}"
_OBJECT: Final[dict[str, Any]] = {"type": "object"}
_OBJECTS: Final[dict[str, Any]] = {"type": "array", "items": _OBJECT}

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", "/admin/serverinfo"): Operation(
        "Show the Keycloak whose admin API this follows (systemInfo.version), and what is available.",
        {200: json_content("The server.", _OBJECT)},
    ),
    ("GET", f"{_CLIENT}/service-account-user"): Operation(
        "Show the user that stands for a client: the subject of its access tokens.",
        {200: json_content("The user.", _OBJECT)},
    ),
    ("GET", f"{_REALM}/client-policies/profiles"): Operation(
        "List client profiles: there are none.",
        {200: json_content("An empty list.", _OBJECT)},
        query={"include-global-profiles": FLAG},
    ),
    ("GET", f"{_REALM}/client-policies/policies"): Operation(
        "List client policies: there are none.",
        {200: json_content("An empty list.", _OBJECT)},
        query={"include-global-policies": FLAG},
    ),
}
