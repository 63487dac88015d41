"""Descriptions of the scope mappings of clients and client scopes."""

from collections.abc import Iterator
from typing import Final

from keyturn_credentials.web.openapi.builders import (
    FLAG,
    Body,
    Operation,
    array_of,
    done,
    json_content,
    reference,
)

_REALM: Final = "/admin/realms/{realm}"
_HOLDERS: Final = {
    f"{_REALM}/clients/{{uuid}}/scope-mappings": "a client without full scope",
    f"{_REALM}/client-scopes/{{scope}}/scope-mappings": "a client scope",
}
_ROLES: Final = json_content("Roles.", array_of("RoleRepresentation"))
_BRIEF: Final = {"briefRepresentation": FLAG}


def _of(path: str, holder: str) -> Iterator[tuple[tuple[str, str], Operation]]:
    yield (
        ("GET", path),
        Operation(
            f"Show the roles that {holder} brings into scope.",
            {200: json_content("The roles.", reference("MappingsRepresentation"))},
        ),
    )
    for kind, whose, by in (("realm", "of the realm", "ids"), ("clients/{client}", "of a client", "names")):
        whole = f"{path}/{kind}"
        for part, what in (
            ("", f"List the roles {whose} that {holder} brings into scope."),
            ("/available", f"List the other roles {whose}."),
            ("/composite", f"List the roles {whose} that {holder} brings into scope, with composites."),
        ):
            yield ("GET", f"{whole}{part}"), Operation(what, {200: _ROLES}, query=_BRIEF)
        for method, what in (
            ("POST", f"Let {holder} bring roles {whose} into scope, by their {by}."),
            ("DELETE", f"Let {holder} bring roles {whose} into scope no longer; without a body, none."),
        ):
            body = Body(array_of("RoleReference"), required=method == "POST")
            yield (method, whole), Operation(what, done(), body=body, changes=True, takes_version=True)


OPERATIONS: Final[dict[tuple[str, str], Operation]] = dict(
    each for path, holder in _HOLDERS.items() for each in _of(path, holder)
)
