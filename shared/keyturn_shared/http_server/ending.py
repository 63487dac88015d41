"""The end of a connection after its last answer: the caller gets time to read it."""

import asyncio
from typing import Final

LINGER_SECONDS: Final = 1.0
"""Seconds for which further input is discarded. Closing at once would reset the connection, and a reset can
destroy the answer before it is read (RFC 9112 section 9.6)."""
TLS_LINGER_SECONDS: Final = 0.25
"""TLS cannot close one direction only: a caller that reads to the end waits this long."""
LINGER_BYTES: Final = 1024 * 1024
"""Bytes that are discarded. More than that is a flood, of which nothing further is read."""
HOLD_SECONDS: Final = 2.0
"""Seconds before a flooded connection is reset. Without the delay the flood would be back at once, and each
TLS handshake of it keeps a core busy for a millisecond."""


class Lingering:
    """Writes the last response to a transport, and closes it when everything had time to arrive. ``cancel``
    it in the end: otherwise it would wait forever for a caller that does not read."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, words: bytes = b""
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._passed_over = 0
        self._held = False
        self._handle: asyncio.TimerHandle | None = None
        if transport.is_closing():
            return
        if words:
            transport.write(words)
        seconds = TLS_LINGER_SECONDS
        if transport.can_write_eof():
            transport.write_eof()
            seconds = LINGER_SECONDS
        self._handle = loop.call_later(seconds, self._check)

    def passed_over(self, data: bytes) -> None:
        """Discard data that came after the end."""
        self._passed_over += len(data)
        if self._passed_over > LINGER_BYTES and not self._held:
            self._held = True
            self._transport.pause_reading()
            self.cancel()
            self._handle = self._loop.call_later(HOLD_SECONDS, self._transport.abort)

    def cancel(self) -> None:
        """Stop: the connection is over."""
        if self._handle is not None:
            self._handle.cancel()

    def _check(self) -> None:
        if self._transport.get_write_buffer_size():
            self._handle = self._loop.call_later(LINGER_SECONDS, self._check)
        elif self._passed_over:
            self._transport.abort()  # closing TLS would go on reading
        else:
            self._transport.close()
