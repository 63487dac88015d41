"""The error of a chain that does not continue what was signed."""

from keyturn_shared.errors import KeyturnError


class ChainBrokenError(KeyturnError):
    """The audit log is not what the service signed: nothing is added to its chain, and nothing deleted."""

    code = "audit_chain_broken"


class UnknownKeyError(ChainBrokenError):
    """A statement about the chain names a key that is not configured."""
