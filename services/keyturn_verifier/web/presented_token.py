"""Reads the access token a request brings in its Authorization header."""

from keyturn_verifier.possession.requirement import PresentedToken
from keyturn_verifier.web.certificate_source import CertificateSource
from keyturn_verifier.web.exchange import Request


def read_presented_token(
    request: Request, certificates: CertificateSource, method: str | None = None
) -> PresentedToken | None:
    """The token under the Bearer or the DPoP scheme (RFC 6750 section 2.1, RFC 9449 section 7.1), or None.

    ``method``: of the request that the token authorises, if that is not this one. Raises InvalidRequestError
    for an Authorization or DPoP header that is there twice.
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
