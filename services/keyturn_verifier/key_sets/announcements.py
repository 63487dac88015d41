"""Announcements of fetched key sets over FastStream's ordinary publisher and subscriber."""

from collections.abc import Awaitable, Callable

from faststream.redis import RedisBroker, StreamSub

from keyturn_shared.key_sets.announcement import ANNOUNCEMENTS_KEPT, KeySetFetched
from keyturn_shared.key_sets.layout import KeySetLayout


def announcer(broker: RedisBroker, layout: KeySetLayout) -> Callable[[KeySetFetched], Awaitable[None]]:
    """Return a publisher of announcements. Call it before the broker starts."""
    publisher = broker.publisher(
        stream=StreamSub(layout.key_set_announcements, maxlen=ANNOUNCEMENTS_KEPT),
        title="key_sets",
        description="A key set was fetched, and differs or was waited for.",
        schema=KeySetFetched,
    )

    async def announce(announcement: KeySetFetched) -> None:
        await publisher.publish(announcement)

    return announce


def follow(broker: RedisBroker, layout: KeySetLayout, heard: Callable[[KeySetFetched], None]) -> None:
    """Subscribe to new announcements. Call it before the broker starts.

    This is a plain read without a consumer group, since every node needs every announcement. A node that
    misses one reads the record when its own is no longer fresh.
    """

    @broker.subscriber(stream=StreamSub(layout.key_set_announcements, last_id="$"), title="key_sets")
    async def key_set_fetched(announcement: KeySetFetched) -> None:
        heard(announcement)
