"""Errors of finding keys for a token."""

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import UnknownKidError

__all__ = ["KeysUnavailableError", "UnknownKidError"]


class KeysUnavailableError(KeyturnError):
    """The client's key set is unavailable now, so the kid may or may not be known. The client may retry."""

    code = "keys_unavailable"
