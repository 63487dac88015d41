"""Failures of checking a token. ``code``: a refusal code of docs/refusals.md, for logs and metrics."""

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.errors import UnavailableError


class TokenRefusedError(KeyturnError):
    """The token is invalid, or not valid for this request. Callers learn no more than RFC 6750 section 3.1
    allows."""

    code = "refused"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = code


class VerifierUnavailableError(KeyturnError):
    """No decision is possible now, because there is no lease or no Redis; ``retry_after``: seconds."""

    code = "unavailable"

    def __init__(self, code: str, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.reason = code
        self.retry_after = retry_after


def translated(error: KeyturnError, *, unavailable: bool) -> TokenRefusedError | VerifierUnavailableError:
    """Convert an error of the verifier to one of these two."""
    if not unavailable:
        return TokenRefusedError(error.code, error.detail)
    seconds = error.retry_after if isinstance(error, UnavailableError) else 1
    return VerifierUnavailableError(error.code, error.detail, seconds)
