"""Why a name or a pattern for names cannot be used."""

from keyturn_shared.errors import KeyturnError


class InvalidNameError(KeyturnError):
    """A text is not the kind of name it should be; ``detail`` says what is wrong with it."""

    code = "invalid_name"
