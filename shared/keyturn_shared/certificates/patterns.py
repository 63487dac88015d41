"""Regular expressions that take time proportional to the text, whoever wrote them.

Administrators of a realm may let a client's subject match a pattern. An engine that backtracks can be made to
run for hours on one certificate, and with it a node that serves other realms too. RE2 follows all
alternatives at once.
"""

from functools import lru_cache
from typing import Any, Final, Self

import re2

from keyturn_shared.certificates.errors import InvalidNameError

MAX_CHARACTERS: Final = 512
_MAX_BYTES: Final = 1 << 20
"""Of memory for one pattern: what needs more is refused."""
_KEPT: Final = 256


class Pattern:
    """A pattern in RE2's syntax, that whole texts match or do not."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    @classmethod
    @lru_cache(maxsize=_KEPT)
    def read(cls, text: str) -> Self:
        """Raises InvalidNameError for what is none, needs to look back or ahead, or is too large."""
        if not 0 < len(text) <= MAX_CHARACTERS:
            raise InvalidNameError(f"a pattern has 1 to {MAX_CHARACTERS} characters")
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
        """Whether the pattern matches the whole text."""
        return self._compiled.fullmatch(text) is not None
