"""Search criteria, and the syntax of Keycloak's ``q``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.store.clients import SEARCHABLE_CHARACTERS

_TERM: Final = re.compile(r'\s*(?:"([^"]*)"|([^\s":]+)):(?:"([^"]*)"|(\S+))(?=\s|\Z)')
_MAX_TERMS: Final = 10


@dataclass(frozen=True, slots=True)
class Criteria:
    """``client_id``: exactly, or with ``is_part`` anywhere in the id, ignoring the case of ASCII letters."""

    client_id: str | None = None
    is_part: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


def parse_query(text: str) -> dict[str, str]:
    """Parse Keycloak's ``q``: space-separated ``name:value`` pairs; a part with spaces is quoted."""
    found: dict[str, str] = {}
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TERM.match(stripped, position)
        if match is None:
            raise InvalidRequestError("q must consist of space-separated name:value pairs")
        quoted_name, name, quoted_value, value = match.groups()
        found[quoted_name if name is None else name] = quoted_value if value is None else value
        position = match.end()
    if len(found) > _MAX_TERMS:
        raise InvalidRequestError(f"q has more than {_MAX_TERMS} pairs")
    if any(len(value) > SEARCHABLE_CHARACTERS for value in found.values()):
        raise InvalidRequestError(
            f"attributes of more than {SEARCHABLE_CHARACTERS} characters are not searched"
        )
    return found
