"""Paths to claims, as ``groups`` or ``realm_access.roles``. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from keyturn_shared.errors import ConfigurationError

MAX_CHARACTERS: Final = 255
_PART: Final = re.compile(r"(?:[^.\\]|\\[.\\])+")


@dataclass(frozen=True, slots=True)
class ClaimPath:
    """Names of members, from the outermost."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Parse names separated by dots; ``\.`` is a dot in a name, as in Keycloak. Raises
        ConfigurationError."""
        parts = _PART.findall(text)
        if not parts or ".".join(parts) != text or len(text) > MAX_CHARACTERS:
            raise ConfigurationError(
                f"a path to a claim is names separated by dots, at most {MAX_CHARACTERS} characters;"
                r" \. is a dot in a name"
            )
        return cls(tuple(re.sub(r"\\(.)", r"\1", part) for part in parts))

    def find(self, claims: Mapping[str, Any]) -> Any:
        """Return the value at this path, None if there is none."""
        value: Any = claims
        for part in self.parts:
            if not isinstance(value, Mapping):
                return None
            value = value.get(part)
        return value
