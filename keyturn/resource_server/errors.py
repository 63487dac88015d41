"""What checking a token can end with. ``code``: a refusal code of docs/refusals.md, for logs and metrics."""

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.errors import UnavailableError


class TokenRefusedError(KeyturnError):
    """The token does not hold, or not for this. Callers are told no more than RFC 6750 section 3.1 says."""

    code = "refused"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = code


class VerifierUnavailableError(KeyturnError):
    """Nothing can be decided now, for want of a lease or of Redis; ``retry_after``: seconds."""

    code = "unavailable"

    def __init__(self, code: str, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.reason = code
        self.retry_after = retry_after


def translated(error: KeyturnError, *, unavailable: bool) -> TokenRefusedError | VerifierUnavailableError:
    """An error of the verifier as one of these two."""
    if not unavailable:
        return TokenRefusedError(error.code, error.detail)
    seconds = error.retry_after if isinstance(error, UnavailableError) else 1
    return VerifierUnavailableError(error.code, error.detail, seconds)
