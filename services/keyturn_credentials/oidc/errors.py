"""Reasons why a person is not signed in."""

from enum import StrEnum

from keyturn_credentials.errors import CredentialsError, UnauthenticatedError


class Refusal(StrEnum):
    """Stable words for the audit log, the service's log and the page that the person sees."""

    NOT_STARTED = "not_started"
    """This browser began no such sign-in, or too long ago, or it was completed already."""
    DENIED = "denied"
    """The person or the provider's rules declined (``access_denied``)."""
    PROVIDER_ERROR = "provider_error"
    """The provider answered with an error, or with something that is no answer."""
    UNTRUSTED = "untrusted"
    """The answer is not one that this provider gave to this sign-in."""
    GROUPS_UNREADABLE = "groups_unreadable"
    """The claim with the groups is neither a text nor a list of texts, or it is not verified."""
    TOO_LARGE = "too_large"
    """The provider sent more than is accepted."""
    NO_ROLE = "no_role"
    """None of the person's groups has a role here."""
    UNAVAILABLE = "unavailable"
    """The provider does not respond."""


class SignInError(CredentialsError):
    """A person is not signed in, for ``reason``. ``detail`` is for the log and contains nothing secret.
    ``subject``: the person's, if it is known."""

    code = "sign_in_refused"

    def __init__(self, reason: Refusal, detail: str, *, subject: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.subject = subject


class SignInRefusedError(SignInError, UnauthenticatedError):
    """An answer that may be an attack: it counts as a failed sign-in."""


class LogoutTokenError(CredentialsError):
    """A logout token is not one of this provider for this service (OpenID Connect Back-Channel Logout 1.0
    section 2.6)."""

    code = "invalid_request"


def unavailable(detail: str) -> SignInError:
    """Return the error for a provider that does not respond."""
    return SignInError(Refusal.UNAVAILABLE, detail)
