"""Reasons why a fetch was refused or failed."""

from enum import StrEnum

from keyturn_shared.errors import KeyturnError


class Reason(StrEnum):
    """Stable words for records, metrics and answers."""

    URL_INVALID = "url_invalid"
    SCHEME_NOT_ALLOWED = "scheme_not_allowed"
    HOST_NOT_ALLOWED = "host_not_allowed"
    PORT_NOT_ALLOWED = "port_not_allowed"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    RESOLUTION_FAILED = "resolution_failed"
    CONNECTION_FAILED = "connection_failed"
    PROXY_FAILED = "proxy_failed"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    PROTOCOL_ERROR = "protocol_error"
    REDIRECT = "redirect"
    STATUS = "status"
    CONTENT_TYPE = "content_type"
    CONTENT_ENCODING = "content_encoding"
    TOO_LARGE = "too_large"


class FetchRefused(KeyturnError):  # noqa: N818 - it says what happened; most of these are not faults of keyturn
    """Nothing was fetched. ``reason`` is stable, ``detail`` says more and contains nothing secret."""

    code = "fetch_refused"

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
