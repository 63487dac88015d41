"""Reads the access token in a request's Authorization header."""

from keyturn_shared.oauth.sender_constraint.requirement import PresentedToken
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.messages import Request


def read_bearer_token(
    request: Request, certificates: CertificateSource, method: str | None = None
) -> PresentedToken | None:
    """Return the token under the Bearer or DPoP scheme (RFC 6750 section 2.1, RFC 9449 section 7.1), or None.

    ``method``: of the request that the token authorises, if it is another one. Raises InvalidRequestError for
    a repeated Authorization or DPoP header.
    """
    scheme, _, token = (request.authorization or "").partition(" ")
    by_dpop = scheme.lower() == "dpop"
    if not by_dpop and scheme.lower() != "bearer":
        return None
    return PresentedToken(
        token.strip(),
        by_dpop,
        request.header(b"dpop"),
        lambda: certificates.of(request),
        method or request.method,
    )
