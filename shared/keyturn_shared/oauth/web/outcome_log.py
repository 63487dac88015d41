"""Records outcomes: metrics for all, a log line with the true reason for refusals, and limits on repeated
failures."""

from typing import Final

import structlog

from keyturn_shared.client_authenticators import AUTHENTICATION_METHODS
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.network.trusted_proxies import network_of
from keyturn_shared.oauth.client_authentication.credentials import Attempt
from keyturn_shared.oauth.client_authentication.refusals import RefusalRecorder
from keyturn_shared.oauth.errors import (
    AdministratorElsewhereError,
    RefusedError,
    TooManyFailuresError,
    is_unavailable,
)
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.throttling.throttle import Caller, Throttle
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.messages import Request

ACCEPTED: Final = "accepted"
_MAX_LOGGED: Final = 100

_log = structlog.get_logger(__name__)


class AuthenticationLog:
    """Outcomes of client authentication."""

    def __init__(
        self,
        metrics: AnswerMetrics,
        throttle: Throttle,
        addresses: CallerAddress,
        refusals: RefusalRecorder | None = None,
    ) -> None:
        """``refusals``: where administrators look for the reasons; None: nowhere."""
        self._refusals = refusals
        self._throttle = throttle
        self._addresses = addresses
        self._authentications = metrics.authentications
        # Children are looked up once: the hot path only counts.
        self._accepted = {
            method: metrics.authentications.labels(method, ACCEPTED) for method in AUTHENTICATION_METHODS
        }

    @property
    def refuses_any(self) -> bool:
        """True if any caller is refused for its failures."""
        return self._throttle.refuses_any

    def admit(self, request: Request, attempt: Attempt | None) -> None:
        """Raise TooManyFailuresError for a caller that is refused for its failures. Called before and after
        its authentication: other requests of it may have failed meanwhile."""
        if self._throttle.refuses_any:
            self._throttle.require(self._caller(request, attempt, self._addresses.of(request).address))

    def accepted(self, method: str) -> None:
        """Count an authentication by this method of OAuth."""
        self._accepted[method].inc()

    def refused(self, error: KeyturnError, request: Request, attempt: Attempt | None) -> KeyturnError:
        """Return the error to answer with. Of guesses sent in parallel, those past the limit learn that there
        are too many, and not whether they were right."""
        is_failure = isinstance(error, (RefusedError, JoseError)) and not is_unavailable(error)
        if is_failure and attempt is not None:
            try:
                self.admit(request, attempt)
            except TooManyFailuresError as too_many:
                error, is_failure = too_many, False
        method = "none" if attempt is None else attempt.method
        self._authentications.labels(method, error.code).inc()
        if isinstance(error, AdministratorElsewhereError):
            return error  # not a refusal: the credentials service is asked, and records the outcome
        origin = self._addresses.of(request)
        if is_failure:
            self._throttle.failed(self._caller(request, attempt, origin.address))
        _log.info(
            "client_refused",
            code=error.code,
            detail=error.detail[:_MAX_LOGGED],
            realm=request.realm[:_MAX_LOGGED],
            client_id=None if attempt is None else attempt.client_id[:_MAX_LOGGED],
            method=method,
            address=origin.nearest,
        )
        if self._refusals is not None and attempt is not None and not is_unavailable(error):
            self._refusals.note(
                request.realm, attempt.client_id, code=error.code, method=method, address=origin.nearest
            )
        return error

    def _caller(self, request: Request, attempt: Attempt | None, address: str | None) -> Caller:
        return Caller(
            None if address is None else network_of(address),
            request.realm,
            None if attempt is None else attempt.client_id,
        )


class TokenLog:
    """Outcomes of checks of others' tokens, by endpoint: ``introspect``, ``verify`` or ``forward_auth``."""

    def __init__(self, metrics: AnswerMetrics, endpoint: str) -> None:
        self._verifications = metrics.verifications
        self._endpoint = endpoint
        self._accepted = metrics.verifications.labels(endpoint, ACCEPTED)
        # ``/verify`` shows the code in its answer, for up to a thousand tokens, so it is not logged.
        self._say = _log.debug if endpoint == "verify" else _log.info

    def accepted(self, count: int = 1) -> None:
        """Count tokens that were accepted."""
        self._accepted.inc(count)

    def refused(self, code: str, detail: str, realm: str) -> None:
        self._verifications.labels(self._endpoint, code).inc()
        self._say(
            "token_refused",
            code=code,
            detail=detail[:_MAX_LOGGED],
            realm=realm[:_MAX_LOGGED],
            endpoint=self._endpoint,
        )
