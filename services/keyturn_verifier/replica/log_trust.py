"""Checks the log in Redis: only what is signed counts, and only if it is not older than what was seen."""

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from keyturn_shared.position import Position
from keyturn_shared.signed_log.errors import ForgedError, OutdatedError, UnsignedError
from keyturn_shared.signed_log.head import HeadStatement, read_head_statement
from keyturn_shared.signed_log.keys import LogVerificationKeys
from keyturn_shared.signed_log.verifier import LogVerifier
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.floors import Floors

_QUIET_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class LogTrust:
    """Checks statements about the head, projections and events.

    The signed statements identify the true log; of two logs, the one with the newer epoch wins. A node that
    starts accepts the first log it is shown.

    Everything invalid is counted and raised as ForgedError. A flood of it is logged once a second.
    """

    def __init__(
        self, keys: LogVerificationKeys, metrics: NodeMetrics, *, elapsed: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._metrics = metrics
        self._elapsed = elapsed
        self._floors = Floors()
        self._verifier: LogVerifier | None = None
        self._last = (0, "")
        self._read = b""
        self._stated: HeadStatement | None = None
        self._quiet_until = float("-inf")

    def admit(self, statement: bytes, head: Position) -> HeadStatement:
        """Return the relay's statement about this head. Raises ForgedError if it is not one."""
        try:
            if not statement:
                raise UnsignedError("the credentials service's release does not sign the log")
            if statement != self._read:
                self._take(read_head_statement(statement, self._keys))
                self._read = statement
            stated = self._stated
            if stated is None or stated.epoch != head.epoch:
                raise OutdatedError(f"the head is in epoch {head.epoch}, the signed statement in another one")
        except ForgedError as error:
            self._note("head", "", error)
            raise
        return stated

    def projection(self, field: str, value: bytes) -> bytes:
        """Return the signed value. Raises ForgedError and ProjectionError."""
        try:
            sequence, body = self._require_verifier().projection(field, value)
            self._floors.require(field, sequence)
        except ForgedError as error:
            self._note("projection", field, error)
            raise
        return body

    def event(self, at: Position, payload: bytes) -> bytes:
        """Return the signed event of this position. Raises ForgedError."""
        try:
            return self._require_verifier().event(at.sequence, payload)
        except ForgedError as error:
            self._note("event", at.stream_id, error)
            raise

    def applied(self, sequence: int, event_id: str, fields: Iterable[str]) -> None:
        """Note that an event has changed these projections: older ones are rejected from now on."""
        self._floors.raise_to(fields, sequence)
        self._last = (sequence, event_id)

    def _take(self, stated: HeadStatement) -> None:
        known = self._stated
        if known is not None and stated.epoch < known.epoch:
            raise OutdatedError(f"a statement of epoch {stated.epoch}, in epoch {known.epoch}")
        if self._verifier is None or self._verifier.log != stated.log:
            self._verifier = LogVerifier(self._keys, stated.log)
            self._floors.clear()
        elif known is not None and stated.epoch > known.epoch and not stated.knows(*self._last):
            # The log was restored from a backup, or this node is far behind: its knowledge may be lost.
            self._floors.clear()
        self._stated = stated

    def _require_verifier(self) -> LogVerifier:
        if self._verifier is None:
            raise UnsignedError("no signed head has been seen yet")
        return self._verifier

    def _note(self, kind: str, name: str, error: ForgedError) -> None:
        self._metrics.forged.labels(kind).inc()
        now = self._elapsed()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            _log.error("log_not_believed", kind=kind, name=name, code=error.code, detail=error.detail)
