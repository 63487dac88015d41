"""Deletion of the last-used records of deleted clients."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from keyturn_credentials.relay.event_log import LoggedEvent
from keyturn_shared.events import ClientDeleted, decode_event
from keyturn_shared.fleet.relay_channel import RelayChannel

_AFTER_SECONDS: Final = 10.0
"""Delay of the deletion: nodes write last uses every two seconds, so also after the client was deleted."""
_BATCH_SIZE: Final = 500
_MAX_WAITING: Final = 100_000


class DeletedClients:
    """Deletes the records a few seconds after the clients. Records that are missed, because the process ended
    or too many waited, expire half a year after their last use."""

    def __init__(self, channel: RelayChannel, elapsed: Callable[[], float]) -> None:
        self._channel = channel
        self._elapsed = elapsed
        self._waiting: deque[tuple[float, str]] = deque(maxlen=_MAX_WAITING)

    def note(self, events: Iterable[LoggedEvent]) -> None:
        """Queue the clients that these published events deleted."""
        for event in events:
            if b"client_deleted" not in event.payload:
                continue  # decoding each of a million events would take longer than publishing them
            try:
                decoded = decode_event(event.payload)
            except msgspec.MsgspecError:
                continue
            if isinstance(decoded, ClientDeleted):
                self._waiting.append((self._elapsed() + _AFTER_SECONDS, decoded.client_uuid))

    async def forget(self) -> None:
        """Delete the records that are due. Raises RedisUnavailableError; they then stay queued."""
        now = self._elapsed()
        due = [uuid for at, uuid in list(self._waiting)[:_BATCH_SIZE] if at <= now]
        if due:
            await self._channel.forget_uses(due)
            for _ in due:
                self._waiting.popleft()
