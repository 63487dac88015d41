"""Protocol mappers of an export: those that would be refused are left out, with a note. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain.mapper_effects import effect_of, without_effect
from keyturn_credentials.domain.protocol_mappers import MAPPERS, normal_mapper, require_distinct
from keyturn_credentials.errors import ConflictError, InvalidRequestError

_MAX_NOTES: Final = 10
"""Notes on the mappers of one client or client scope; further ones are counted."""


def usable_mappers(representation: dict[str, Any]) -> list[str]:
    """Remove the protocol mappers that would be refused from a client or a client scope. Return the notes:
    about these, and about those without an effect that they have in Keycloak."""
    given = representation.get(MAPPERS)
    if given is None:
        return []
    if not isinstance(given, list):
        del representation[MAPPERS]
        return [f"{MAPPERS} is left out: it is not an array"]
    kept: list[dict[str, Any]] = []
    notes = []
    for entry in given:
        try:
            kept.append(_read(kept, entry))
        except (InvalidRequestError, ConflictError) as error:
            notes.append(f"{error.detail}: it is left out")
    representation[MAPPERS] = kept
    notes += without_effect(kept, as_in_keycloak=False)
    more = len(notes) - _MAX_NOTES
    return notes if more <= 0 else [*notes[:_MAX_NOTES], f"and {more} more notes on {MAPPERS}"]


def _read(kept: list[dict[str, Any]], entry: object) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise InvalidRequestError("a protocol mapper is not an object")
    mapper = normal_mapper(entry)
    effect_of(mapper)
    require_distinct([*kept, mapper])
    return mapper
