"""Errors of data that allegedly comes from the credentials service."""

from keyturn_shared.errors import KeyturnError


class ForgedError(KeyturnError):
    """It has no signature of a trusted key over exactly this. Nothing is decided on it."""

    code = "forged"


class UnsignedError(ForgedError):
    """It has no signature at all: it is a forgery, or from a credentials service of an earlier release."""

    code = "unsigned"


class OutdatedError(ForgedError):
    """Its signature is valid, but a newer version is known: an old one was put back."""

    code = "outdated"


class UntrustedKeyError(ForgedError):
    """A signature names a key that is not among the trusted ones."""
