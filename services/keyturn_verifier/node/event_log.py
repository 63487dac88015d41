"""Reading the event log: the FastStream subscription, and direct reads where it does not bring the events."""

from typing import Final, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.events import MESSAGE_FIELD
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.position import Position
from keyturn_verifier.node.follower import Follower

_PAGE: Final = 1000
FIELD: Final = MESSAGE_FIELD.encode()


class EventReader(Protocol):
    """Brings a follower to a head without the subscription."""

    async def catch_up(self, follower: Follower, head: Position) -> None:
        """Apply what the stream has after the follower's position. Raises RedisUnavailableError."""
        ...


class StreamReader:
    """Reads the stream with XRANGE."""

    def __init__(self, redis: Redis, layout: Layout | None = None) -> None:
        self._redis = redis
        self._events = (layout or Layout()).events

    async def catch_up(self, follower: Follower, head: Position) -> None:
        while follower.position < head:
            try:
                # redis-py's types allow for decoded replies; this client gives bytes.
                entries: list[tuple[bytes, dict[bytes, bytes]]] = await self._redis.xrange(
                    self._events, min=f"({follower.position.stream_id}", count=_PAGE
                )  # type: ignore[assignment]
            except (RedisError, OSError, TimeoutError) as error:
                raise RedisUnavailableError(f"reading the event log: {error}") from error
            if not entries:
                # The head is ahead, but its events are not there: they were trimmed.
                follower.skip_to(head)
                return
            for entry_id, fields in entries:
                follower.apply(Position.parse(entry_id), fields.get(FIELD, b""))
