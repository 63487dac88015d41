"""Errors of a local stack."""

from keyturn_shared.errors import KeyturnError


class StackError(KeyturnError):
    """The stack could not start or continue. ``detail`` is one line for the terminal."""

    code = "stack"
