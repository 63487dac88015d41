"""Errors of the credentials service. Each has a stable code; HTTP statuses are given to them at the edge."""

from keyturn_shared.errors import KeyturnError


class CredentialsError(KeyturnError):
    """Base of what this service refuses or cannot do. ``detail`` is shown to the caller."""

    code = "credentials_error"


class InvalidRequestError(CredentialsError):
    """The request is not one that could ever be carried out."""

    code = "invalid_request"


class UnauthenticatedError(CredentialsError):
    """No access token, or not one that is good for the admin API (RFC 6750 section 3.1)."""

    code = "invalid_token"


class ForbiddenError(CredentialsError):
    """The caller is known but lacks a role."""

    code = "forbidden"


class NotFoundError(CredentialsError):
    """What was asked for is not there."""

    code = "not_found"


class ConflictError(CredentialsError):
    """It exists already."""

    code = "conflict"


class PreconditionFailedError(CredentialsError):
    """Somebody else changed it meanwhile (RFC 9110 section 13.1.1)."""

    code = "precondition_failed"


class StoreUnavailableError(CredentialsError):
    """The database did not answer in time. Whether a change was committed is then not known."""

    code = "store_unavailable"
