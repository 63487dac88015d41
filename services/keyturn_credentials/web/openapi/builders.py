"""Descriptions of single operations of the admin API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Schema = Mapping[str, Any]

JSON: Final = "application/json"
TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 10**9}
FLAG: Final[Schema] = {"type": "boolean"}
TIME: Final[Schema] = {"type": "number", "description": "NumericDate seconds"}
MAYBE_TIME: Final[Schema] = {"type": ["number", "null"], "description": "NumericDate seconds"}


@dataclass(frozen=True, slots=True)
class Content:
    """Content of an answer: the schema of each possible media type, and its headers."""

    description: str
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """Content of a request."""

    schema: Schema
    media_type: str = JSON
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    ``answers``: by status, on success. ``refusals``: statuses of problems in addition to those of every
    operation. ``query``: schema of each parameter. ``changes``: it causes an event, so it accepts ``Prefer``
    and answers with ``Keyturn-Sequence``.
    """

    summary: str
    answers: Mapping[int, Content]
    refusals: tuple[int, ...] = ()
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Body | None = None
    changes: bool = False
    takes_version: bool = False


def object_of(
    properties: Mapping[str, Schema], *required: str, more: bool = False, description: str = ""
) -> Schema:
    """Describe an object. ``more``: other properties are allowed."""
    made: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": more,
    }
    return made | {"description": description} if description else made


def record_of(properties: Mapping[str, Schema]) -> Schema:
    """Describe an object that has all these properties and no other."""
    return object_of(properties, *properties)


def reference(name: str) -> Schema:
    """Refer to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def array_of(name: str) -> Schema:
    return {"type": "array", "items": reference(name)}


def json_content(description: str, schema: Schema, *headers: str) -> Content:
    return Content(description, {JSON: schema}, headers)


def done(description: str = "Done.", *headers: str) -> Mapping[int, Content]:
    """Describe 204 without content."""
    return {204: Content(description, {}, headers)}


def showing(what: str, representation: str) -> Operation:
    """Describe a GET of a versioned representation."""
    content = json_content(f"The {what}.", reference(representation), "ETag")
    return Operation(f"Show a {what}.", {200: content})


def changing(what: str, representation: str, *headers: str) -> Operation:
    """Describe a PUT of a versioned representation. ``headers``: of the answer, besides the ETag."""
    return Operation(
        f"Change a {what}. Absent members are left unchanged.",
        done("Changed.", "ETag", *headers),
        refusals=(409,),
        body=Body(reference(representation)),
        changes=True,
        takes_version=True,
    )
