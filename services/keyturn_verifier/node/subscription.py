"""The FastStream subscription to the event log: a plain read of the stream from the node's own position."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from faststream.redis import RedisStreamMessage, StreamSub
from faststream.redis.message import FAKE_CONSUMER

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.position import Position
from keyturn_shared.redis_broker import make_broker
from keyturn_verifier.node.event_log import FIELD
from keyturn_verifier.node.follower import Follower

_POLL_MS: Final = 1000
_ANSWER_SECONDS: Final = 3.0
_BATCH: Final = 500
_RETRY_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class Subscription:
    """Feeds a follower from the stream.

    Every node needs every event, so there is no consumer group. The subscription begins where the node joined
    and keeps its own place; the follower ignores what it has, so it does not matter who was quicker.
    """

    def __init__(self, redis_url: str, follower: Follower, layout: Layout | None = None) -> None:
        self._redis_url = redis_url
        self._follower = follower
        self._events = (layout or Layout()).events

    async def run(
        self, joined: asyncio.Event, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Subscribe once the node has joined, and stay subscribed until cancelled."""
        await joined.wait()
        while True:
            # The reads have a time limit: a connection cut without a word would else block for ever.
            # Nothing is injected into the handler; looking for it would cost visits to a thread each time.
            broker = make_broker(
                self._redis_url, socket_timeout=_ANSWER_SECONDS, logger=None, apply_types=False
            )
            stream = StreamSub(
                self._events,
                last_id=self._follower.position.stream_id,
                polling_interval=_POLL_MS,
                max_records=_BATCH,
                batch=True,
            )
            broker.subscriber(stream=stream, parser=_read_batch, decoder=_no_decoding)(self._take)
            try:
                await broker.start()
                # From here on the subscriber survives errors by itself, with five seconds after each.
                await asyncio.Event().wait()
            except Exception as error:  # noqa: BLE001 - FastStream raises many kinds when Redis is away
                _log.warning("subscription_failed", error=repr(error))
                await sleep(_RETRY_SECONDS)
            finally:
                await broker.stop()

    async def _take(self, message: RedisStreamMessage) -> None:
        raw: Mapping[str, Any] = message.raw_message
        for entry_id, fields in zip(raw["message_ids"], raw["data"], strict=True):
            self._follower.apply(Position.parse(entry_id), fields.get(FIELD, b""))
        # The report is sent before the next read: somebody may wait for it.
        await asyncio.sleep(0)


async def _read_batch(message: Mapping[str, Any]) -> RedisStreamMessage:
    """A batch as it came: the entries' ids are the positions, and bodies are decoded by the follower."""
    return RedisStreamMessage(raw_message=message, body=b"", consumer=FAKE_CONSUMER, group=None)


async def _no_decoding(message: RedisStreamMessage) -> RedisStreamMessage:
    return message
