"""Descriptions of roles of a realm and of its clients."""

from collections.abc import Iterator
from typing import Final

from keyturn_credentials.web.openapi.builders import (
    FLAG,
    NUMBER,
    TEXT,
    Body,
    Content,
    Operation,
    array_of,
    done,
    json_content,
    reference,
)

_REALM: Final = "/admin/realms/{realm}"
_ROLES: Final = json_content("Roles.", array_of("RoleRepresentation"))
_PAGE: Final = {"search": TEXT, "first": NUMBER, "max": NUMBER}
_CONTAINERS: Final = {
    f"{_REALM}/roles": "the realm",
    f"{_REALM}/clients/{{uuid}}/roles": "the client",
}
_ROLE_PATHS: Final = (*(f"{path}/{{role}}" for path in _CONTAINERS), f"{_REALM}/roles-by-id/{{role}}")


def _container(path: str, whose: str) -> Iterator[tuple[tuple[str, str], Operation]]:
    yield (
        ("GET", path),
        Operation(f"List the roles of {whose}.", {200: _ROLES}, query={**_PAGE, "briefRepresentation": FLAG}),
    )
    yield (
        ("POST", path),
        Operation(
            f"Create a role of {whose}.",
            {201: Content("Created.", {}, ("Location",))},
            refusals=(409,),
            body=Body(reference("RoleRepresentation")),
            changes=True,
            takes_version=True,
        ),
    )


def _users(path: str) -> tuple[tuple[str, str], Operation]:
    return ("GET", f"{path}/{{role}}/users"), Operation(
        "List the service accounts that were given a role.",
        {200: json_content("Service accounts.", array_of("UserRepresentation"))},
        query={"first": NUMBER, "max": NUMBER, "briefRepresentation": FLAG},
    )


def _role(path: str) -> Iterator[tuple[tuple[str, str], Operation]]:
    yield (
        ("GET", path),
        Operation("Show a role.", {200: json_content("The role.", reference("RoleRepresentation"))}),
    )
    yield (
        ("PUT", path),
        Operation(
            "Change a role. Whoever has it has it under its new name.",
            done("Changed."),
            refusals=(409,),
            body=Body(reference("RoleRepresentation")),
            changes=True,
            takes_version=True,
        ),
    )
    yield (
        ("DELETE", path),
        Operation("Delete a role. Nobody has it any more.", done(), changes=True, takes_version=True),
    )
    composites = f"{path}/composites"
    yield (
        ("GET", composites),
        Operation("List the roles that a role is composed of.", {200: _ROLES}, query=_PAGE),
    )
    for method, what in (
        ("POST", "Compose a role of others too. Whoever has it has them as well."),
        ("DELETE", "Compose a role of these others no longer."),
    ):
        yield (
            (method, composites),
            Operation(what, done(), body=Body(array_of("RoleReference")), changes=True, takes_version=True),
        )
    for kind, whose in (("realm", "of the realm"), ("clients/{client}", "of a client")):
        yield (
            ("GET", f"{composites}/{kind}"),
            Operation(f"List the roles {whose} that a role is composed of.", {200: _ROLES}, query=_PAGE),
        )


OPERATIONS: Final[dict[tuple[str, str], Operation]] = dict(
    [
        *(each for path, whose in _CONTAINERS.items() for each in _container(path, whose)),
        *(_users(path) for path in _CONTAINERS),
        *(each for path in _ROLE_PATHS for each in _role(path)),
    ]
)
