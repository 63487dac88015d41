"""Changes of the protocol mappers of a client or client scope. Pure, but for the ids of new ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from keyturn_credentials.domain.protocol_mappers import (
    MAPPERS,
    MAX_MAPPERS,
    normal_mapper,
    require_distinct,
)
from keyturn_credentials.errors import InvalidRequestError, NotFoundError

Mappers = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class MapperChange:
    """``after``: all mappers; ``changed``: those that were added or changed."""

    after: list[dict[str, Any]]
    changed: tuple[dict[str, Any], ...] = ()


def adding(before: Mappers, representations: Mappers) -> MapperChange:
    """Add mappers. Raises InvalidRequestError and ConflictError."""
    added = [normal_mapper(representation) for representation in representations]
    added = [{"id": str(uuid4()), **mapper} for mapper in added]
    after = [*map(dict, before), *added]
    if len(after) > MAX_MAPPERS:
        raise InvalidRequestError(f"{MAPPERS} has {len(after)} entries; at most {MAX_MAPPERS} are allowed")
    require_distinct(after)
    return MapperChange(after, tuple(added))


def replacing(before: Mappers, mapper_id: str, representation: Mapping[str, Any]) -> MapperChange:
    """Replace a mapper, as a PUT does in Keycloak: settings that are not given are gone. Raises
    NotFoundError, InvalidRequestError and ConflictError."""
    require_mapper(before, mapper_id)
    changed = normal_mapper(representation)
    if changed.get("id", mapper_id) != mapper_id:
        raise InvalidRequestError("the id of a protocol mapper cannot be changed")
    changed = {**changed, "id": mapper_id}
    after = [changed if mapper["id"] == mapper_id else dict(mapper) for mapper in before]
    require_distinct(after)
    return MapperChange(after, (changed,))


def removing(before: Mappers, mapper_id: str) -> MapperChange:
    """Remove a mapper. Raises NotFoundError."""
    require_mapper(before, mapper_id)
    return MapperChange([dict(mapper) for mapper in before if mapper["id"] != mapper_id])


def require_mapper(mappers: Mappers, mapper_id: str) -> Mapping[str, Any]:
    """Return the mapper with this id. Raises NotFoundError."""
    for mapper in mappers:
        if mapper["id"] == mapper_id:
            return mapper
    raise NotFoundError("Model not found")
