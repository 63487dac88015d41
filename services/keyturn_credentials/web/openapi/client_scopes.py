"""Descriptions of client scopes and the lists that contain them."""

from typing import Final

from keyturn_credentials.web.openapi.builders import (
    Body,
    Content,
    Operation,
    array_of,
    done,
    json_content,
    reference,
)

_REALM: Final = "/admin/realms/{realm}"
_ALL: Final = f"{_REALM}/client-scopes"
_ONE: Final = f"{_ALL}/{{scope}}"
_LISTS: Final = {
    f"{_REALM}/default-default-client-scopes": "the realm's default scopes",
    f"{_REALM}/default-optional-client-scopes": "the realm's optional scopes",
    f"{_REALM}/clients/{{uuid}}/default-client-scopes": "the client's default scopes",
    f"{_REALM}/clients/{{uuid}}/optional-client-scopes": "the client's optional scopes",
}

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _ALL): Operation(
        "List the realm's client scopes.",
        {200: json_content("Client scopes.", array_of("ClientScopeRepresentation"))},
    ),
    ("POST", _ALL): Operation(
        "Create a client scope.",
        {201: Content("Created.", {}, ("Location",))},
        refusals=(409,),
        body=Body(reference("ClientScopeRepresentation")),
        changes=True,
    ),
    ("GET", _ONE): Operation(
        "Show a client scope.",
        {200: json_content("The client scope.", reference("ClientScopeRepresentation"))},
    ),
    ("PUT", _ONE): Operation(
        "Change a client scope. Absent members are left unchanged.",
        done("Changed."),
        body=Body(reference("ClientScopeRepresentation")),
        changes=True,
        takes_version=True,
    ),
    ("DELETE", _ONE): Operation(
        "Delete a client scope. No client is granted it any more.", done(), changes=True, takes_version=True
    ),
    **{
        ("GET", path): Operation(
            f"List {what}.", {200: json_content("Client scopes.", array_of("ClientScopeRepresentation"))}
        )
        for path, what in _LISTS.items()
    },
    **{
        ("PUT", f"{path}/{{scope}}"): Operation(
            f"Add a scope to {what}.", done(), changes=True, takes_version=True
        )
        for path, what in _LISTS.items()
    },
    **{
        ("DELETE", f"{path}/{{scope}}"): Operation(
            f"Remove a scope from {what}.", done(), changes=True, takes_version=True
        )
        for path, what in _LISTS.items()
    },
}
