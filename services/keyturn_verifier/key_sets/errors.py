"""Why no keys were found for a token."""

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import UnknownKidError

__all__ = ["KeysUnavailableError", "UnknownKidError"]


class KeysUnavailableError(KeyturnError):
    """The client's key set cannot be had now, so nothing can be said about the kid. The client may retry."""

    code = "keys_unavailable"
