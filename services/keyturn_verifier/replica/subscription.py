"""The FastStream subscription to the event log: a plain read of the stream from the node's own position."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from faststream.redis import RedisStreamMessage, StreamSub
from faststream.redis.message import FAKE_CONSUMER

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.position import Position
from keyturn_shared.redis_broker import make_broker
from keyturn_shared.redis_failures import redis_answers
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_verifier.replica.event_applier import EventApplier
from keyturn_verifier.replica.stream_reader import FIELD

_POLL_MS: Final = 1000
_ANSWER_SECONDS: Final = 3.0
_BATCH: Final = 100
_RETRY: Final = Backoff(first=1.0, longest=1.0)


class Subscription:
    """Feeds the event applier from the stream, as a task. ``joined``: set once the node has joined.

    Every node needs every event, so there is no consumer group. The subscription begins where the node joined
    and keeps its own place. The applier ignores events it already has, so duplicates do no harm.
    """

    def __init__(
        self,
        redis_url: str,
        applier: EventApplier,
        joined: asyncio.Event,
        elapsed: Callable[[], float],
        layout: Layout | None = None,
    ) -> None:
        self._redis_url = redis_url
        self._applier = applier
        self._joined = joined
        self._events = (layout or Layout()).events
        self.task: Final = SupervisedTask("subscription", self._follow, elapsed=elapsed, backoff=_RETRY)

    async def _follow(self) -> None:
        """Subscribe once the node has joined, and stay subscribed until cancelled."""
        await self._joined.wait()
        # Reads have a time limit: a connection cut without notice would block forever. The handler needs no
        # injected dependencies; resolving them would cost a thread switch per batch.
        broker = make_broker(self._redis_url, socket_timeout=_ANSWER_SECONDS, logger=None, apply_types=False)
        stream = StreamSub(
            self._events,
            last_id=self._applier.position.stream_id,
            polling_interval=_POLL_MS,
            max_records=_BATCH,
            batch=True,
        )
        broker.subscriber(stream=stream, parser=_read_batch, decoder=_no_decoding)(self._take)
        try:
            with redis_answers("subscribing to events"):
                await broker.start()
            # From here on the subscriber survives errors by itself, and pauses five seconds after each.
            await asyncio.Event().wait()
        finally:
            await broker.stop()

    async def _take(self, message: RedisStreamMessage) -> None:
        raw: Mapping[str, Any] = message.raw_message
        for entry_id, fields in zip(raw["message_ids"], raw["data"], strict=True):
            self._applier.apply(Position.parse(entry_id), fields.get(FIELD, b""))
        # Send the report before the next read: a caller may be waiting for it.
        await asyncio.sleep(0)


async def _read_batch(message: Mapping[str, Any]) -> RedisStreamMessage:
    """Decode a batch: the entries' ids are the positions, and the applier decodes the bodies."""
    return RedisStreamMessage(raw_message=message, body=b"", consumer=FAKE_CONSUMER, group=None)


async def _no_decoding(message: RedisStreamMessage) -> RedisStreamMessage:
    return message
