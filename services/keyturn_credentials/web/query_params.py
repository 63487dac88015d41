"""Whole numbers in the query of a request."""

from typing import Final

from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.web.gate import Call

_MAX_DIGITS: Final = 15


def whole_number(call: Call, name: str) -> int | None:
    """Return the number; None if absent. Raises InvalidRequestError."""
    text = call.query(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        raise InvalidRequestError(f"{name} must be a whole number")
    return int(text)


def page(call: Call) -> tuple[int, int | None]:
    """Return ``first`` and ``max`` of Keycloak's lists: how many entries to skip, and how many to show at
    most. Negative numbers mean no limit, as there. Raises InvalidRequestError."""
    first, most = (_number(call, name) for name in ("first", "max"))
    return max(first or 0, 0), None if most is None or most < 0 else most


def _number(call: Call, name: str) -> int | None:
    text = call.query(name)
    if not text:
        return None
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_DIGITS:
        raise InvalidRequestError(f"{name} must be a number")
    return int(text)
