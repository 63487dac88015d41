"""Direct reads of the event log, for when the FastStream subscription does not bring the events."""

from typing import Final, Protocol

from redis.asyncio import Redis

from keyturn_shared.events import MESSAGE_FIELD
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.position import Position
from keyturn_shared.redis_failures import redis_answers
from keyturn_verifier.replica.event_applier import EventApplier

_PAGE: Final = 200  # each signature is checked, and other tasks need their turn
FIELD: Final = MESSAGE_FIELD.encode()


class EventReader(Protocol):
    """Brings an event applier up to a head without the subscription."""

    async def catch_up(self, applier: EventApplier, head: Position) -> None:
        """Apply the stream's events after the applier's position. Raises RedisUnavailableError."""
        ...


class StreamReader:
    """Reads the stream with XRANGE."""

    def __init__(self, redis: Redis, layout: Layout | None = None) -> None:
        self._redis = redis
        self._events = (layout or Layout()).events

    async def catch_up(self, applier: EventApplier, head: Position) -> None:
        while applier.position < head:
            with redis_answers("reading the event log"):
                entries: list[tuple[bytes, dict[bytes, bytes]]] = await self._redis.xrange(
                    self._events, min=f"({applier.position.stream_id}", count=_PAGE
                )  # type: ignore[assignment]  # redis-py's types allow for decoded replies; these are bytes
            before = applier.position
            for entry_id, fields in entries:
                applier.apply(Position.parse(entry_id), fields.get(FIELD, b""))
            if applier.position == before:
                # No genuine event is there. Trimming keeps the newest, so no head is ahead of all events
                # unless somebody wrote it, or deleted them; without the events there is no lease.
                return
