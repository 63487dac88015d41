"""Every path of the admin API, and the roles that give access."""

import re

VIEW = {"view-clients", "configure-clients", "manage-clients"}
CONFIGURE = {"configure-clients", "manage-clients"}
MANAGE = {"manage-clients"}
REALM = {"manage-realm"}
CREATE = {"create-realm"}
ANY = VIEW | REALM | CREATE
CLIENT = "/admin/realms/{realm}/clients/{uuid}"
ROLE_PATHS = {
    "/admin/realms/{realm}/roles/{role}": (VIEW | REALM, REALM),
    f"{CLIENT}/roles/{{role}}": (VIEW, MANAGE),
    "/admin/realms/{realm}/roles-by-id/{role}": (VIEW | REALM, MANAGE | REALM),
}
"""Roles that may read and change."""
PROVIDER = "/admin/realms/{realm}/identity-provider/instances/{alias}"
ROTATION = "/admin/realms/{realm}/rotations/{rotation}"
ROTATION_MOVES = ("pause", "resume", "delivered", "cancel")
MAPPERS = (
    f"{CLIENT}/protocol-mappers",
    "/admin/realms/{realm}/client-scopes/{scope}/protocol-mappers",
)
SCOPE_MAPPINGS = (
    f"{CLIENT}/scope-mappings",
    "/admin/realms/{realm}/client-scopes/{scope}/scope-mappings",
)
ROLE_MAPPINGS = "/admin/realms/{realm}/users/{user}/role-mappings"
SCOPE_LISTS = (
    "/admin/realms/{realm}/default-default-client-scopes",
    "/admin/realms/{realm}/default-optional-client-scopes",
    f"{CLIENT}/default-client-scopes",
    f"{CLIENT}/optional-client-scopes",
)

LET_THROUGH = {
    "GET /admin/realms": ANY,
    "POST /admin/realms": CREATE,
    "GET /admin/realms/{realm}": ANY,
    "PUT /admin/realms/{realm}": REALM,
    "DELETE /admin/realms/{realm}": REALM,
    "GET /admin/realms/{realm}/keys": ANY,
    "POST /admin/realms/{realm}/keys/rotate": REALM,
    "POST /admin/realms/{realm}/clear-keys-cache": REALM,
    "POST /admin/realms/{realm}/push-revocation": REALM,
    "POST /admin/realms/{realm}/partialImport": MANAGE,
    "POST /admin/realms/{realm}/partial-export": REALM,
    "GET /admin/realms/{realm}/audit": REALM,
    "GET /admin/realms/{realm}/event-log": VIEW | REALM,
    "GET /admin/realms/{realm}/client-count": VIEW,
    "GET /admin/realms/{realm}/expiring-secrets": VIEW,
    "GET /admin/realms/{realm}/notices": VIEW,
    "GET /admin/realms/{realm}/rotations": VIEW,
    "GET /admin/realms/{realm}/rotations/plan": VIEW,
    "POST /admin/realms/{realm}/rotations/plan": VIEW,
    f"GET {ROTATION}": VIEW,
    **{f"POST {ROTATION}/{move}": CONFIGURE for move in ROTATION_MOVES},
    f"GET {CLIENT}/rotations": VIEW,
    f"GET {CLIENT}/refusals": VIEW,
    f"POST {CLIENT}/evaluate": VIEW,
    f"POST {CLIENT}/rotations": CONFIGURE,
    "GET /admin/realms/{realm}/jwks-urls": VIEW,
    "GET /admin/realms/{realm}/fleet": ANY,
    "GET /admin/realms/{realm}/fleet/stream": ANY,
    "GET /admin/realms/{realm}/clients": VIEW,
    "POST /admin/realms/{realm}/clients": MANAGE,
    "GET /admin/serverinfo": ANY,
    "GET /admin/realms/{realm}/client-policies/profiles": ANY,
    "GET /admin/realms/{realm}/client-policies/policies": ANY,
    "GET /admin/realms/{realm}/identity-provider/instances": ANY,
    "POST /admin/realms/{realm}/identity-provider/instances": REALM,
    f"GET {PROVIDER}": ANY,
    f"PUT {PROVIDER}": REALM,
    f"DELETE {PROVIDER}": REALM,
    f"GET {PROVIDER}/keys": ANY,
    f"POST {PROVIDER}/keys/{{thumbprint}}/revoke": REALM,
    f"POST {PROVIDER}/revoke-subject": REALM,
    f"GET {PROVIDER}/reload-keys": REALM,
    f"GET {CLIENT}/service-account-user": VIEW,
    **{
        call: roles
        for path in MAPPERS
        for call, roles in (
            (f"GET {path}/models", VIEW),
            (f"POST {path}/models", MANAGE),
            (f"GET {path}/models/{{mapper}}", VIEW),
            (f"PUT {path}/models/{{mapper}}", MANAGE),
            (f"DELETE {path}/models/{{mapper}}", MANAGE),
            (f"POST {path}/add-models", MANAGE),
            (f"GET {path}/protocol/{{protocol}}", VIEW),
        )
    },
    "GET /admin/realms/{realm}/client-scopes": VIEW,
    "POST /admin/realms/{realm}/client-scopes": MANAGE,
    "GET /admin/realms/{realm}/client-scopes/{scope}": VIEW,
    "PUT /admin/realms/{realm}/client-scopes/{scope}": MANAGE,
    "DELETE /admin/realms/{realm}/client-scopes/{scope}": MANAGE,
    **{
        call: roles
        for path in SCOPE_LISTS
        for call, roles in (
            (f"GET {path}", VIEW),
            (f"PUT {path}/{{scope}}", MANAGE),
            (f"DELETE {path}/{{scope}}", MANAGE),
        )
    },
    "GET /admin/realms/{realm}/roles": VIEW | REALM,
    "POST /admin/realms/{realm}/roles": REALM,
    f"GET {CLIENT}/roles": VIEW,
    f"POST {CLIENT}/roles": MANAGE,
    **{
        call: roles
        for path, (view, manage) in ROLE_PATHS.items()
        for call, roles in (
            (f"GET {path}", view),
            (f"PUT {path}", manage),
            (f"DELETE {path}", manage),
            (f"GET {path}/composites", view),
            (f"POST {path}/composites", manage),
            (f"DELETE {path}/composites", manage),
            (f"GET {path}/composites/realm", view),
            (f"GET {path}/composites/clients/{{client}}", view),
        )
    },
    "GET /admin/realms/{realm}/roles/{role}/users": VIEW | REALM,
    f"GET {CLIENT}/roles/{{role}}/users": VIEW,
    "GET /admin/realms/{realm}/users": VIEW,
    "GET /admin/realms/{realm}/users/{user}": VIEW,
    **{f"GET {path}": VIEW for path in (ROLE_MAPPINGS, *SCOPE_MAPPINGS)},
    **{
        call: roles
        for holder in (ROLE_MAPPINGS, *SCOPE_MAPPINGS)
        for path in (f"{holder}/realm", f"{holder}/clients/{{client}}")
        for call, roles in (
            (f"GET {path}", VIEW),
            (f"POST {path}", MANAGE),
            (f"DELETE {path}", MANAGE),
            (f"GET {path}/available", VIEW),
            (f"GET {path}/composite", VIEW),
        )
    },
    f"GET {CLIENT}": VIEW,
    f"PUT {CLIENT}": CONFIGURE,
    f"DELETE {CLIENT}": MANAGE,
    f"GET {CLIENT}/client-secret": VIEW,
    f"POST {CLIENT}/client-secret": CONFIGURE,
    f"GET {CLIENT}/client-secret/rotated": VIEW,
    f"DELETE {CLIENT}/client-secret/rotated": CONFIGURE,
    f"GET {CLIENT}/installation/providers/{{provider}}": VIEW,
    f"GET {CLIENT}/certificates/{{attr}}": VIEW,
    f"POST {CLIENT}/certificates/{{attr}}/generate": CONFIGURE,
    f"POST {CLIENT}/certificates/{{attr}}/generate-and-download": CONFIGURE,
    f"POST {CLIENT}/certificates/{{attr}}/upload": MANAGE,
    f"POST {CLIENT}/certificates/{{attr}}/upload-certificate": MANAGE,
    f"POST {CLIENT}/certificates/{{attr}}/download": VIEW,
    f"POST {CLIENT}/jwks-url/test": CONFIGURE,
    f"GET {CLIENT}/keys": VIEW,
    f"GET {CLIENT}/usage": VIEW,
    f"POST {CLIENT}/keys/{{thumbprint}}/revoke": CONFIGURE,
    f"POST {CLIENT}/clear-keys-cache": CONFIGURE,
    f"POST {CLIENT}/push-revocation": CONFIGURE,
}
# The response does not end once access is granted.
WITHOUT_END = "GET /admin/realms/{realm}/fleet/stream"


def address(call: str, realm: str) -> tuple[str, str]:
    """Return method and path, after ``/admin/realms``, with a nonexistent name in every place."""
    method, path = call.split(" ")
    path = path.removeprefix("/admin/realms").replace("{realm}", realm).replace("{attr}", "jwt.credential")
    return method, re.sub(r"{\w+}", "nothing", path)
