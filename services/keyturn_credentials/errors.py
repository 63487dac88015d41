"""Errors of the credentials service. Each has a stable code; the web layer maps them to HTTP statuses."""

from collections.abc import Mapping

from keyturn_shared.errors import KeyturnError


class CredentialsError(KeyturnError):
    """Base of this service's errors. ``detail`` is shown to the caller."""

    code = "credentials_error"


class InvalidRequestError(CredentialsError):
    """The request could never succeed."""

    code = "invalid_request"


class InvalidMembersError(InvalidRequestError):
    """Several members of the request are wrong. ``members``: what is wrong with each, by its JSON Pointer."""

    def __init__(self, members: Mapping[str, str]) -> None:
        super().__init__("; ".join(members.values()))
        self.members = members


class UnauthenticatedError(CredentialsError):
    """The access token is not valid for the admin API (RFC 6750 section 3.1)."""

    code = "invalid_token"


class MissingTokenError(UnauthenticatedError):
    """There is no access token, or another kind of authentication, so there is no token error (RFC 6750
    section 3.1)."""

    code = "missing_token"


class ForbiddenError(CredentialsError):
    """The caller is known but lacks a role."""

    code = "forbidden"


class NotFoundError(CredentialsError):
    """The requested object does not exist."""

    code = "not_found"


class ConflictError(CredentialsError):
    """The object already exists."""

    code = "conflict"


class KeysPublishedError(ConflictError):
    """The client publishes its keys at its JWKS URL, so none is registered."""

    code = "keys_published"


class RotationNotOverError(ConflictError):
    """An earlier rotation of the client is still in its overlap."""

    code = "rotation_not_over"


class LastAdministratorError(ConflictError):
    """Realm ``master`` would have no client left that can administer keyturn."""

    code = "last_administrator"


class LimitReachedError(ConflictError):
    """A limit would be exceeded; ``detail`` says which one, and what helps."""

    code = "limit_reached"


class TooManyStreamsError(CredentialsError):
    """The caller has the maximum number of open event streams."""

    code = "too_many_streams"


class TooManyEvaluationsError(CredentialsError):
    """The caller evaluates too often, or a client's secret was tested too often."""

    code = "too_many_evaluations"


class StreamsExhaustedError(CredentialsError):
    """All callers together have the maximum number of open event streams."""

    code = "streams_exhausted"


class PreconditionFailedError(CredentialsError):
    """Another caller has changed the object in the meantime (RFC 9110 section 13.1.1)."""

    code = "precondition_failed"


class StoreUnavailableError(CredentialsError):
    """The database did not answer in time. It is then unknown whether a change was committed."""

    code = "store_unavailable"
