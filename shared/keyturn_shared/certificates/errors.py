"""Errors of names and name patterns."""

from keyturn_shared.errors import KeyturnError


class InvalidNameError(KeyturnError):
    """A text is not a valid name of the required kind; ``detail`` gives the reason."""

    code = "invalid_name"
