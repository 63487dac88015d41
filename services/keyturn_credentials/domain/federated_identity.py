"""A client's identity at an issuer that its realm trusts. Pure."""

from collections.abc import Mapping

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.claim_conditions import read_audiences, read_conditions
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.oauth.subject_patterns import InvalidPatternError, check_pattern
from keyturn_shared.projection import MAX_NAME_LENGTH, MAX_SUBJECT_LENGTH, FederatedIdentity


def check_federated_identity(values: Mapping[str, str]) -> None:
    """Raise InvalidRequestError unless the attributes name one identity at an issuer."""
    read_identity(values)
    if attributes.words(values, attributes.ADMIN_ROLES):
        raise InvalidRequestError(
            f"federated-jwt contradicts {attributes.ADMIN_ROLES}: administrators have their own credentials"
        )


def read_identity(values: Mapping[str, str]) -> FederatedIdentity:
    """Read the identity. Raises InvalidRequestError."""
    alias = values.get(attributes.CREDENTIAL_ISSUER, "")
    subject = values.get(attributes.CREDENTIAL_SUBJECT, "")
    pattern = values.get(attributes.FEDERATED_SUBJECT_PATTERN, "")
    if not 0 < len(alias) <= MAX_NAME_LENGTH:
        raise InvalidRequestError(
            f"federated-jwt requires {attributes.CREDENTIAL_ISSUER}, the alias of an identity provider"
        )
    if bool(subject) is bool(pattern):
        raise InvalidRequestError(
            f"federated-jwt requires either {attributes.CREDENTIAL_SUBJECT} or"
            f" {attributes.FEDERATED_SUBJECT_PATTERN}"
        )
    if len(subject) > MAX_SUBJECT_LENGTH or any(ord(character) < 0x20 for character in subject):
        raise InvalidRequestError(
            f"{attributes.CREDENTIAL_SUBJECT} must be at most {MAX_SUBJECT_LENGTH} characters long, without"
            " control characters"
        )
    if pattern:
        try:
            check_pattern(pattern)
        except InvalidPatternError as error:
            raise InvalidRequestError(f"{attributes.FEDERATED_SUBJECT_PATTERN}: {error}") from None
    return FederatedIdentity(
        alias=alias,
        subject=subject or pattern,
        is_pattern=not subject,
        audiences=read_audiences(values, attributes.FEDERATED_AUDIENCES),
        conditions=read_conditions(values, attributes.FEDERATED_CLAIMS),
    )
