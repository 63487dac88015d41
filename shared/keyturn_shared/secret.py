"""A string that does not print."""

import hmac
from typing import Final


class Secret:
    """Holds a secret string; ``str``, ``repr``, formatting and pickling never show it.

    ``reveal()`` is the one way out, so that every place a secret leaves can be found by name.
    """

    __slots__ = ("_value",)
    MASK: Final = "**********"

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself. Only for the wire to its owner, or into a cipher or a digest."""
        return self._value

    def matches(self, other: str) -> bool:
        """Whether ``other`` is the same secret, in time that does not depend on where they differ."""
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
        raise TypeError("a Secret is not serialised; seal it or digest it")
