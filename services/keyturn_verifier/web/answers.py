"""Keeps account of what callers were told: metrics for all, a log line with the true reason for refusals."""

from typing import Final

import structlog

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.authentication.presented import Presented
from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.web.exchange import Request

ACCEPTED: Final = "accepted"
_MAX_LOGGED: Final = 100

_log = structlog.get_logger(__name__)


class AuthenticationLog:
    """Outcomes of client authentication."""

    def __init__(self, metrics: AnswerMetrics) -> None:
        self._authentications = metrics.authentications
        # Children are looked up once: the hot path only counts.
        self._accepted = {
            method: metrics.authentications.labels(method, ACCEPTED)
            for method in (
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "tls_client_auth",
                "self_signed_tls_client_auth",
            )
        }

    def accepted(self, presented: Presented) -> None:
        self._accepted[presented.method].inc()

    def refused(self, error: KeyturnError, request: Request, presented: Presented | None) -> None:
        method = "none" if presented is None else presented.method
        self._authentications.labels(method, error.code).inc()
        _log.info(
            "client_refused",
            code=error.code,
            detail=error.detail[:_MAX_LOGGED],
            realm=request.realm[:_MAX_LOGGED],
            client_id=None if presented is None else presented.client_id[:_MAX_LOGGED],
            method=method,
            address=request.address,
        )
