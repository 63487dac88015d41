"""Keeps account of what callers were told: metrics for all, a log line with the true reason for refusals, and
limits for those who fail again and again."""

from typing import Final

import structlog

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import JoseError
from keyturn_verifier.authentication.presented import Presented
from keyturn_verifier.errors import RefusedError, is_unavailable
from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.throttling.throttle import Caller, Throttle
from keyturn_verifier.web.caller_address import CallerAddress, network_of
from keyturn_verifier.web.exchange import Request

ACCEPTED: Final = "accepted"
_MAX_LOGGED: Final = 100

_log = structlog.get_logger(__name__)


class AuthenticationLog:
    """Outcomes of client authentication."""

    def __init__(self, metrics: AnswerMetrics, throttle: Throttle, addresses: CallerAddress) -> None:
        self._throttle = throttle
        self._addresses = addresses
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

    def admit(self, request: Request, presented: Presented | None) -> None:
        """Raise TooManyFailuresError for a caller that is refused for its failures."""
        if self._throttle.refuses_any:
            self._throttle.require(self._caller(request, presented, self._addresses.of(request)))

    def accepted(self, presented: Presented) -> None:
        self._accepted[presented.method].inc()

    def refused(self, error: KeyturnError, request: Request, presented: Presented | None) -> None:
        method = "none" if presented is None else presented.method
        self._authentications.labels(method, error.code).inc()
        address = self._addresses.of(request)
        if isinstance(error, (RefusedError, JoseError)) and not is_unavailable(error):
            self._throttle.failed(self._caller(request, presented, address))
        _log.info(
            "client_refused",
            code=error.code,
            detail=error.detail[:_MAX_LOGGED],
            realm=request.realm[:_MAX_LOGGED],
            client_id=None if presented is None else presented.client_id[:_MAX_LOGGED],
            method=method,
            address=address or request.address,
        )

    def _caller(self, request: Request, presented: Presented | None, address: str | None) -> Caller:
        return Caller(
            None if address is None else network_of(address),
            request.realm,
            None if presented is None else presented.client_id,
        )


class TokenLog:
    """Outcomes of checks of others' tokens, by endpoint: ``introspect``, ``verify`` or ``forward_auth``."""

    def __init__(self, metrics: AnswerMetrics, endpoint: str) -> None:
        self._verifications = metrics.verifications
        self._endpoint = endpoint
        self._accepted = metrics.verifications.labels(endpoint, ACCEPTED)
        # Whoever asks ``/verify`` hears the code in the answer, for a thousand tokens at a time.
        self._say = _log.debug if endpoint == "verify" else _log.info

    def accepted(self) -> None:
        self._accepted.inc()

    def refused(self, code: str, detail: str, realm: str) -> None:
        self._verifications.labels(self._endpoint, code).inc()
        self._say(
            "token_refused",
            code=code,
            detail=detail[:_MAX_LOGGED],
            realm=realm[:_MAX_LOGGED],
            endpoint=self._endpoint,
        )
