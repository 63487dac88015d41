"""Background signing of projections without a signature of the current key."""

from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_credentials.store.signatures import Signatures
from keyturn_shared.clock import Clock
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

_PAGE: Final = 200
_RETRY: Final = Backoff(first=5.0, longest=5.0)

_log = structlog.get_logger(__name__)


class SigningLoop:
    """Scans all projections once after the start, because the log's keys are settings and change only with a
    restart.

    After each page it pauses for as long as that took: there may be a million, and callers come first.
    """

    def __init__(
        self,
        signatures: Signatures,
        clock: Clock,
        metrics: CollectorRegistry,
    ) -> None:
        self._signatures = signatures
        self._clock = clock
        self._after = ""
        self.task: Final = SupervisedTask(
            "signing",
            self._sign_page,
            backoff=_RETRY,
            finite=True,
            elapsed=clock.elapsed,
        )
        self._checked = Gauge(
            "keyturn_log_signatures_checked", "Projections examined since the start", registry=metrics
        )
        self._renewed = Counter(
            "keyturn_log_signatures_renewed", "Projections signed again since the start", registry=metrics
        )
        self._current = Gauge(
            "keyturn_log_signatures_current",
            "1 when the first log key has signed every projection in the database",
            registry=metrics,
        )

    async def _sign_page(self) -> float | None:
        begun = self._clock.elapsed()
        page = await self._signatures.look(self._after, _PAGE)
        await self._signatures.renew(page)
        self._checked.inc(page.seen)
        self._renewed.inc(len(page.others))
        if page.last is None:
            self._current.set(1)
            _log.info("log_signatures_current")
            return None
        self._after = page.last
        return self._clock.elapsed() - begun
