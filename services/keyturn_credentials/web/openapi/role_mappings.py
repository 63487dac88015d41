"""Descriptions of service accounts as users, and of the roles that they were given."""

from collections.abc import Iterator
from typing import Final

from keyturn_credentials.web.openapi.builders import (
    FLAG,
    NUMBER,
    TEXT,
    Body,
    Operation,
    array_of,
    done,
    json_content,
    reference,
)

_USERS: Final = "/admin/realms/{realm}/users"
_MAPPINGS: Final = f"{_USERS}/{{user}}/role-mappings"
_ROLES: Final = json_content("Roles.", array_of("RoleRepresentation"))
_BRIEF: Final = {"briefRepresentation": FLAG}


def _of(path: str, whose: str) -> Iterator[tuple[tuple[str, str], Operation]]:
    named = Body(array_of("RoleReference"))
    for kind, what in (
        ("", f"List the roles {whose} that a service account was given."),
        ("/available", f"List the roles {whose} that a service account was not given."),
        ("/composite", f"List the roles {whose} that a service account has, with composites."),
    ):
        yield ("GET", f"{path}{kind}"), Operation(what, {200: _ROLES}, query=_BRIEF)
    yield (
        ("POST", path),
        Operation(
            f"Give a service account roles {whose}. Their ids and names must match.",
            done(),
            refusals=(409,),
            body=named,
            changes=True,
            takes_version=True,
        ),
    )
    yield (
        ("DELETE", path),
        Operation(
            f"Take roles {whose} away from a service account; without a body, all of them.",
            done(),
            body=Body(named.schema, required=False),
            changes=True,
            takes_version=True,
        ),
    )


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _USERS): Operation(
        "Find service accounts by their names: without username, none.",
        {200: json_content("Service accounts.", array_of("UserRepresentation"))},
        query={"username": TEXT, "exact": FLAG, "first": NUMBER, "max": NUMBER, **_BRIEF},
    ),
    ("GET", f"{_USERS}/{{user}}"): Operation(
        "Show a service account.", {200: json_content("The account.", reference("UserRepresentation"))}
    ),
    ("GET", _MAPPINGS): Operation(
        "Show the roles that a service account was given.",
        {200: json_content("The roles.", reference("MappingsRepresentation"))},
    ),
    **dict(_of(f"{_MAPPINGS}/realm", "of the realm")),
    **dict(_of(f"{_MAPPINGS}/clients/{{client}}", "of a client")),
}
