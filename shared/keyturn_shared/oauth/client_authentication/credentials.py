"""Credentials of a request, none of them verified yet. Pure."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote_plus

from keyturn_shared.jose.algorithms import SYMMETRIC_NAMES
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate
from keyturn_shared.oauth.errors import InvalidRequestError, MissingCredentialsError, WrongIssuerError
from keyturn_shared.oauth.trusted_issuers import TrustedIssuer
from keyturn_shared.secret import Secret

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
SPIFFE_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
"""Of draft-ietf-oauth-spiffe-client-auth."""


@dataclass(frozen=True, slots=True)
class PresentedSecret:
    """A client id and its alleged secret (RFC 6749 2.3.1)."""

    method: Literal["client_secret_basic", "client_secret_post"]
    client_id: str
    secret: Secret


AssertionMethod = Literal["client_secret_jwt", "private_key_jwt"]


@dataclass(frozen=True, slots=True)
class UnverifiedAssertion:
    """A well-formed assertion (RFC 7523 2.2) and the client it names."""

    token: UnverifiedToken
    client_id: str

    @property
    def method(self) -> AssertionMethod:
        return _method_of(self.token)


@dataclass(frozen=True, slots=True)
class IssuedAssertion:
    """A well-formed assertion by someone other than the client. ``client_id``: as the request names it, or
    else the subject. ``is_named``: the request names the client. ``is_spiffe``: it is said to be a JWT-SVID.
    ``issuer``: the one that the realm trusts, once the realm is known.
    """

    token: UnverifiedToken
    client_id: str
    is_named: bool
    is_spiffe: bool
    issuer: TrustedIssuer | None = None

    @property
    def method(self) -> AssertionMethod:
        return _method_of(self.token)


@dataclass(frozen=True, slots=True)
class PresentedCertificate:
    """A client id, and the certificate of its connection (RFC 8705 section 2). ``method``: the client's
    configuration decides which of the two it is; the first until then."""

    client_id: str
    certificate: ClientCertificate
    method: Literal["tls_client_auth"] = "tls_client_auth"


Presented = PresentedSecret | UnverifiedAssertion | IssuedAssertion | PresentedCertificate


class Attempt:
    """The authentication of one request, over all decisions made for it.

    ``method``: OAuth's name. ``is_marked``: this very request has marked its assertion's ``jti`` as used, so
    a repeated decision does not take its own mark for a replay. ``credential``: name of the verified
    credential (``keyturn_shared.fleet.last_used``), empty before.
    """

    __slots__ = ("client_id", "credential", "is_marked", "method", "presented")

    def __init__(self, presented: Presented) -> None:
        self.presented = presented
        self.client_id = presented.client_id
        self.method: str = presented.method
        self.is_marked = False
        self.credential = ""


def read_credentials(
    authorization: str | None,
    parameters: Mapping[str, str],
    certificate: Callable[[], ClientCertificate | None] = lambda: None,
) -> Presented:
    """Read the credentials of exactly one method (RFC 6749 2.3: a client must not use more).

    ``certificate``: of the connection. It does not count as a second method, since a token may be bound to it
    whatever method the client uses (RFC 8705 section 3); it is used only if there is nothing else.

    Raises InvalidRequestError, MissingCredentialsError, MalformedCertificateError, and MalformedError or
    AlgorithmNotAllowedError for an invalid assertion.
    """
    assertion = parameters.get("client_assertion")
    posted = parameters.get("client_secret")
    if (authorization is not None) + (assertion is not None) + (posted is not None) > 1:
        raise InvalidRequestError("more than one method of client authentication")
    client_id = parameters.get("client_id")
    if assertion is not None:
        return _read_assertion(assertion, parameters.get("client_assertion_type"), client_id)
    if authorization is not None:
        if authorization[:6].lower() != "basic ":
            raise MissingCredentialsError("the Authorization scheme is not Basic")
        return _read_basic(authorization[6:], client_id)
    if client_id is None:
        raise MissingCredentialsError("no client authentication")
    if posted is not None:
        return PresentedSecret("client_secret_post", client_id, Secret(posted))
    shown = certificate()
    if shown is None:
        raise MissingCredentialsError("only a client id")
    return PresentedCertificate(client_id, shown)


def _read_basic(encoded: str, client_id: str | None) -> PresentedSecret:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidRequestError("the Authorization header is not Basic credentials") from None
    name, separator, secret = text.partition(":")
    if not separator:
        raise InvalidRequestError("the Authorization header is not Basic credentials")
    # Both are form-encoded before they are joined (RFC 6749 2.3.1).
    presented = PresentedSecret("client_secret_basic", _form_decoded(name), Secret(_form_decoded(secret)))
    if client_id is not None and client_id != presented.client_id:
        raise InvalidRequestError("client_id names another client than the Authorization header")
    return presented


def _form_decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def _method_of(token: UnverifiedToken) -> AssertionMethod:
    return "client_secret_jwt" if token.header.algorithm.name in SYMMETRIC_NAMES else "private_key_jwt"


def _read_assertion(
    assertion: str, kind: str | None, client_id: str | None
) -> UnverifiedAssertion | IssuedAssertion:
    is_spiffe = kind == SPIFFE_ASSERTION_TYPE
    if kind != ASSERTION_TYPE and not is_spiffe:
        raise InvalidRequestError(f"client_assertion_type must be {ASSERTION_TYPE}")
    token = parse_compact(assertion)
    subject, issuer = token.claims.get("sub"), token.claims.get("iss")
    if not subject:
        raise MalformedError("an assertion without sub")
    if is_spiffe or (issuer and issuer != subject):
        return IssuedAssertion(token, client_id or subject, client_id is not None, is_spiffe)
    if client_id is not None and client_id != subject:
        raise WrongIssuerError("client_id names another client than the assertion")
    return UnverifiedAssertion(token, subject)
