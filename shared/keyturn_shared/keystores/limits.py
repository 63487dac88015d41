"""Limits on the cost of a file: far above what keytool, OpenSSL or a browser writes."""

from typing import Final

from keyturn_shared.keystores.errors import InvalidParameterError, LimitExceededError
from keyturn_shared.secret import Secret

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_ENTRIES: Final = 500
"""Entries of an archive, and certificates in any file."""
MAX_CHAIN: Final = 20
MAX_SIGNATURE_CHECKS: Final = 100
"""Signatures verified to find out which certificate issued which."""
MAX_PROTECTED_KEY_BYTES: Final = 16 * 1024
"""Size of one encrypted private key: RSA with 8192 bits takes 5 KiB."""
MAX_ALIAS_CHARACTERS: Final = 1024
MAX_PASSWORD_CHARACTERS: Final = 1024
MAX_SALT_BYTES: Final = 1024

MAX_DERIVATION_ROUNDS: Final = 2_000_000
"""Hash computations for deriving all keys of one file: a second or two. JDK 9 to 15, the most demanding of
the common writers, needs 350,000; OpenSSL 12,000."""


class DerivationBudget:
    """Remainder of MAX_DERIVATION_ROUNDS, checked before a key is derived, so that a hostile iteration count
    costs nothing."""

    def __init__(self, rounds: int = MAX_DERIVATION_ROUNDS) -> None:
        self._rounds = rounds

    def spend(self, rounds: int) -> None:
        """Raise LimitExceededError unless ``rounds`` more may be computed."""
        if rounds > self._rounds:
            raise LimitExceededError(
                f"opening the archive takes more than {MAX_DERIVATION_ROUNDS} rounds of hashing:"
                " lower the iteration count it was encrypted with"
            )
        self._rounds -= rounds


def refuse_long_password(*passwords: Secret | None) -> None:
    """Raise InvalidParameterError for a password long enough to make key derivation expensive."""
    for password in passwords:
        if password is not None and len(password.reveal()) > MAX_PASSWORD_CHARACTERS:
            raise InvalidParameterError(f"a password of more than {MAX_PASSWORD_CHARACTERS} characters")
