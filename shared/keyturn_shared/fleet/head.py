"""The head: the event log's position in Redis, and the trust placed in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from keyturn_shared.position import Position


@dataclass(frozen=True, slots=True)
class Head:
    """The parsed head hash. Times are milliseconds of Redis' own clock.

    ``complete``: all projections of the epoch are written. ``trusted``: the epoch was opened in this very
    Redis process; after a restart or failover Redis is not trusted until the relay opens another epoch.
    ``waits_after``: no wait may succeed earlier, since records of leases may have been lost.
    ``replay_barrier``: assertions issued up to then may have been used without Redis remembering it.
    ``base_sequence``: the sequence at which the epoch began. ``stamped_at``: the relay's last check of the
    database. ``closed_nonce``: set while the fleet is shut down cleanly. ``statement``: the relay's signed
    statement about the head, unverified (see ``signed_log.head``). ``latest_sequence``, ``latest_id``: of the
    newest event that a projection in this Redis may come from, if that is newer than the head.
    """

    position: Position
    event_id: str
    complete: bool
    trusted: bool
    lease_ms: int
    margin_ms: int
    waits_after: int
    opened_at: int
    base_sequence: int
    stamped_at: int
    replay_barrier: int
    closed_nonce: str | None
    statement: bytes = b""
    latest_sequence: int = 0
    latest_id: str = ""

    @classmethod
    def from_hash(cls, fields: Mapping[str, str], run_id: str) -> Self | None:
        """Parse the head from its hash. Return None if the hash is empty."""
        if "epoch" not in fields:
            return None

        def number(name: str) -> int:
            return int(fields.get(name) or 0)

        return cls(
            position=Position(number("epoch"), number("sequence")),
            event_id=fields.get("event_id", ""),
            complete=fields.get("complete") == "1",
            trusted=bool(run_id) and fields.get("vouched") == run_id,
            lease_ms=number("lease_ms"),
            margin_ms=number("margin_ms"),
            waits_after=number("waits_after"),
            opened_at=number("opened_at"),
            base_sequence=number("base_sequence"),
            stamped_at=number("stamped_at"),
            replay_barrier=number("replay_barrier"),
            closed_nonce=fields.get("closed_nonce") or None,
            statement=fields.get("statement", "").encode(),
            latest_sequence=number("latest_sequence"),
            latest_id=fields.get("latest_id", ""),
        )
