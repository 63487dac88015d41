"""A string that does not print."""

import hmac
from typing import Final


class Secret:
    """A secret string; ``str``, ``repr``, formatting and pickling never show it. Only ``reveal()`` returns
    it, so that every place where a secret leaves can be found by name."""

    __slots__ = ("_value",)
    MASK: Final = "**********"

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself. Only for sending it to its owner, or for a cipher or digest."""
        return self._value

    def matches(self, other: str) -> bool:
        """Return whether ``other`` is the same secret, in time independent of where they differ."""
        return hmac.compare_digest(self._value.encode(), other.encode())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return f"Secret({self.MASK!r})"

    def __str__(self) -> str:
        return self.MASK

    def __reduce__(self) -> tuple[type, tuple[str]]:
        raise TypeError("a Secret is never serialised; encrypt or hash it")
