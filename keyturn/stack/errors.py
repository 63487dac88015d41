"""What can go wrong with a local stack."""

from keyturn_shared.errors import KeyturnError


class StackError(KeyturnError):
    """The stack could not be started, or could not go on. ``detail`` is one line for the terminal."""

    code = "stack"
