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
