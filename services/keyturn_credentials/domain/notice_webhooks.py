"""Webhooks about notices: their content, and when they are sent again. Pure."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from keyturn_credentials.domain.notices import Notice, describe
from keyturn_shared.runtime.backoff import Backoff

OPENED: Final = "notice.opened"
CLOSED: Final = "notice.closed"
PATIENCE_SECONDS: Final = 86_400.0
"""Time for which a webhook is tried."""
BACKOFF: Final = Backoff(first=5.0, longest=7_200.0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that is to be sent. ``id``: the same at every attempt. ``attempts``: so far. Times are
    NumericDate seconds."""

    id: str
    notice_id: str
    body: bytes
    created_at: float
    next_at: float
    attempts: int = 0

    @property
    def webhook_id(self) -> str:
        """The value of ``webhook-id``."""
        return f"msg_{self.id}"

    def is_too_old(self, now: float) -> bool:
        """Return whether it has been tried for long enough."""
        return now - self.created_at >= PATIENCE_SECONDS


def opening(notice: Notice, base_url: str, now: float) -> Delivery:
    return _delivery(OPENED, notice, base_url, now)


def closing(notice: Notice, base_url: str, now: float) -> Delivery:
    return _delivery(CLOSED, notice, base_url, now)


def next_attempt(attempts: int, now: float, jitter: float) -> float:
    """Return when a webhook is sent again if this attempt fails. ``attempts``: including this one.
    ``jitter``: drawn from 0 to 1."""
    return now + BACKOFF.seconds(attempts, jitter)


def _delivery(kind: str, notice: Notice, base_url: str, now: float) -> Delivery:
    event = {
        "type": kind,
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z"),
        "data": {"issuer": f"{base_url}/realms/{notice.realm}", **describe(notice)},
    }
    body = json.dumps(event, separators=(",", ":")).encode()
    return Delivery(str(uuid.uuid4()), notice.id, body, created_at=now, next_at=now)
