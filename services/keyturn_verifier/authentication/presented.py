"""What a request presents to prove who its client is. Nothing here is believed yet. Pure."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote_plus

from keyturn_shared.jose.algorithms import SYMMETRIC_NAMES
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.secret import Secret
from keyturn_verifier.certificates.client_certificate import ClientCertificate
from keyturn_verifier.errors import InvalidRequestError, MissingCredentialsError, WrongIssuerError

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2

Method = Literal[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]


@dataclass(frozen=True, slots=True)
class PresentedSecret:
    """A client id and what is said to be its secret (RFC 6749 2.3.1)."""

    method: Literal["client_secret_basic", "client_secret_post"]
    client_id: str
    secret: Secret


@dataclass(slots=True)
class UnverifiedAssertion:
    """A well-formed assertion (RFC 7523 2.2) and the client it says it is of.

    ``claimed_for``: the client for which this very request has marked its ``jti`` as used. A decision that
    has to be made again does not take its own mark for a replay.
    """

    token: UnverifiedToken
    client_id: str
    claimed_for: str | None = None

    @property
    def method(self) -> Literal["client_secret_jwt", "private_key_jwt"]:
        symmetric = self.token.header.algorithm.name in SYMMETRIC_NAMES
        return "client_secret_jwt" if symmetric else "private_key_jwt"


@dataclass(slots=True)
class PresentedCertificate:
    """A client id, and the certificate of the connection it came over (RFC 8705 section 2).

    ``method``: which of the two it is depends on the client; the first until that is known.
    """

    client_id: str
    certificate: ClientCertificate
    method: Literal["tls_client_auth", "self_signed_tls_client_auth"] = "tls_client_auth"


Presented = PresentedSecret | UnverifiedAssertion | PresentedCertificate


def read_presented(
    authorization: str | None,
    parameters: Mapping[str, str],
    certificate: Callable[[], ClientCertificate | None] = lambda: None,
) -> Presented:
    """What exactly one method presents (RFC 6749 2.3: a client must not use more).

    ``certificate``: of the connection. It is no second method beside another one, since a token may be bound
    to it whatever the client proves itself by (RFC 8705 section 3): it is looked at only if nothing else is
    there.

    Raises InvalidRequestError, MissingCredentialsError, MalformedCertificateError, and MalformedError or
    AlgorithmNotAllowedError for an assertion that is none.
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
            raise MissingCredentialsError("an Authorization header that is not Basic")
        return _read_basic(authorization[6:], client_id)
    if client_id is None:
        raise MissingCredentialsError("no client authentication")
    if posted is not None:
        return PresentedSecret("client_secret_post", client_id, Secret(posted))
    shown = certificate()
    if shown is None:
        raise MissingCredentialsError("a client id alone")
    return PresentedCertificate(client_id, shown)


def _read_basic(encoded: str, client_id: str | None) -> PresentedSecret:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidRequestError("the Authorization header is not Basic credentials") from None
    name, separator, secret = text.partition(":")
    if not separator:
        raise InvalidRequestError("the Authorization header is not Basic credentials")
    # Both are form-encoded before they are put together (RFC 6749 2.3.1).
    presented = PresentedSecret("client_secret_basic", _form_decoded(name), Secret(_form_decoded(secret)))
    if client_id is not None and client_id != presented.client_id:
        raise InvalidRequestError("client_id names another client than the Authorization header")
    return presented


def _form_decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def _read_assertion(assertion: str, kind: str | None, client_id: str | None) -> UnverifiedAssertion:
    if kind != ASSERTION_TYPE:
        raise InvalidRequestError(f"client_assertion_type has to be {ASSERTION_TYPE}")
    token = parse_compact(assertion)
    subject = token.claims.get("sub")
    if not subject:
        raise MalformedError("an assertion without sub")
    if client_id is not None and client_id != subject:
        raise WrongIssuerError("client_id names another client than the assertion")
    return UnverifiedAssertion(token, subject)
