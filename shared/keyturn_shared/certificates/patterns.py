"""Regular expressions that run in linear time, whoever wrote them.

Administrators of a realm may match a client's subject with a pattern. A backtracking engine could run for
hours on one certificate, and block a node that also serves other realms. RE2 follows all alternatives at
once.
"""

from functools import lru_cache
from typing import Any, Final, Self

import re2

from keyturn_shared.certificates.errors import InvalidNameError

MAX_CHARACTERS: Final = 512
_MAX_BYTES: Final = 1 << 20
"""Memory limit of one pattern in bytes; a pattern that needs more is refused."""
_KEPT: Final = 256


class Pattern:
    """A pattern in RE2's syntax, matched against whole texts."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    @classmethod
    @lru_cache(maxsize=_KEPT)
    def read(cls, text: str) -> Self:
        """Compile a pattern. Raises InvalidNameError if it is invalid, too large, or uses lookaround."""
        if not 0 < len(text) <= MAX_CHARACTERS:
            raise InvalidNameError(f"a pattern must be 1 to {MAX_CHARACTERS} characters long")
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MAX_BYTES
        options.never_capture = True
        try:
            return cls(re2.compile(text, options))
        except re2.error as error:
            reason = error.args[0]
            described = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
            raise InvalidNameError(f"not a pattern: {described}") from None
        except UnicodeEncodeError:
            raise InvalidNameError("not a pattern: half a surrogate pair") from None

    def matches(self, text: str) -> bool:
        """Return whether the pattern matches the whole text."""
        return self._compiled.fullmatch(text) is not None
