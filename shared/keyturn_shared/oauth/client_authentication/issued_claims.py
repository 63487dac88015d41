"""Checks whom an assertion by a trusted issuer is about, and what else it states. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.oauth.client_authentication.claims import check_audience, require_assertion_type
from keyturn_shared.oauth.errors import (
    ConditionNotMetError,
    SubjectRevokedError,
    WrongIssuerError,
    WrongSubjectError,
)
from keyturn_shared.oauth.subject_patterns import matches
from keyturn_shared.oauth.trusted_issuers import TrustedIssuer, trust_domain_of
from keyturn_shared.projection import ClientProjection, Conditions, FederatedIdentity

_SVID_TYPE: Final = "JOSE"
"""JWT-SVIDs may have this ``typ`` (JWT-SVID section 2.3)."""
_MISSING: Final = object()


def check_identity(token: UnverifiedToken, client: ClientProjection, issuer: TrustedIssuer) -> None:
    """Check type, issuer, subject, audience and conditions. Raises MalformedError, MissingClaimError,
    WrongIssuerError, WrongSubjectError, SubjectRevokedError, WrongAudienceError, ConditionNotMetError."""
    declared, identity, claims = issuer.projection, client.federated, token.claims
    if not (declared.is_spiffe and token.header.is_type(_SVID_TYPE)):
        require_assertion_type(token)
    subject = claims["sub"]
    named = trust_domain_of(subject) if declared.is_spiffe else claims.get("iss")
    if identity is None or identity.alias != declared.alias or named != declared.issuer:
        raise WrongIssuerError("not the client's issuer")
    if subject in declared.revoked_subjects:
        raise SubjectRevokedError(subject[:100])
    if not is_identity(identity, subject):
        raise WrongSubjectError(subject[:100])
    check_audience(claims, frozenset(identity.audiences) or issuer.audiences)
    for conditions in (declared.conditions, identity.conditions):
        check_conditions(claims, conditions)


def is_identity(identity: FederatedIdentity, subject: str) -> bool:
    """Return whether the subject is the client's."""
    return matches(identity.subject, subject) if identity.is_pattern else subject == identity.subject


def check_conditions(claims: Mapping[str, Any], conditions: Conditions) -> None:
    """Raise ConditionNotMetError unless each claim is there with its value, of the same type."""
    for name, value in conditions.items():
        found = _claim(claims, name)
        if type(found) is not type(value) or found != value:
            raise ConditionNotMetError(name[:100])


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """Return a claim by its name, or by a JSON Pointer through objects (RFC 6901)."""
    if not name.startswith("/"):
        return claims.get(name, _MISSING)
    found: object = claims
    for part in name[1:].split("/"):
        member = part.replace("~1", "/").replace("~0", "~")
        found = found.get(member, _MISSING) if isinstance(found, Mapping) else _MISSING
    return found
