"""How one operation of the admin API is described."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Schema = Mapping[str, Any]

JSON: Final = "application/json"
TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 10**9}
FLAG: Final[Schema] = {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer holds: the schema of each media type it may come in, and its headers."""

    description: str
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """What a request holds."""

    schema: Schema
    media_type: str = JSON
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. ``answers``: by status, when it works. ``refusals``: statuses of problems
    beside those that every operation can answer. ``query``: schema of each parameter. ``changes``: whether an
    event comes of it, so that it takes ``Prefer`` and answers with ``Keyturn-Sequence``."""

    summary: str
    answers: Mapping[int, Content]
    refusals: tuple[int, ...] = ()
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Body | None = None
    changes: bool = False
    takes_version: bool = False


def reference(name: str) -> Schema:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def array_of(name: str) -> Schema:
    return {"type": "array", "items": reference(name)}


def json_content(description: str, schema: Schema, *headers: str) -> Content:
    return Content(description, {JSON: schema}, headers)


def done(description: str = "Done.", *headers: str) -> Mapping[int, Content]:
    """204 without content."""
    return {204: Content(description, {}, headers)}


def showing(what: str, representation: str) -> Operation:
    """GET of a representation that has a version."""
    content = json_content(f"The {what}.", reference(representation), "ETag")
    return Operation(f"Show a {what}.", {200: content})


def changing(what: str, representation: str) -> Operation:
    """PUT of a representation that has a version."""
    return Operation(
        f"Change a {what}. Absent members stay as they are.",
        done("Changed.", "ETag"),
        refusals=(409,),
        body=Body(reference(representation)),
        changes=True,
        takes_version=True,
    )
