"""Octets that have arrived on a connection and were not read yet."""

import asyncio
from typing import Final, cast

from keyturn_shared.network.refusal import FetchRefused, Reason

_MAX_UNREAD: Final = 64 * 1024


class Incoming(asyncio.Protocol):
    """Receives data even when no read is pending. A server that sends unasked data, or has ended the
    connection, is thus noticed before the next request."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_paused = False
        self._ended = False
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()

    @property
    def has_unread(self) -> bool:
        return bool(self._unread)

    @property
    def has_ended(self) -> bool:
        """True if the other side sends nothing more; reading tells how it ended."""
        return self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # TCP and TLS transports are bidirectional

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > _MAX_UNREAD and not self._is_paused and self._transport is not None:
            self._transport.pause_reading()
            self._is_paused = True
        self._news.set()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._error = exc
        self._end()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    async def read(self, most: int) -> bytes:
        """Return the available data; empty when the other side has ended. Raises OSError."""
        await self._news.wait()
        if not self._unread:
            self._raise_error()
            return b""
        data = bytes(self._unread[:most])
        del self._unread[:most]
        if not (self._unread or self._ended):
            self._news.clear()
        if self._is_paused and not self._ended and self._transport is not None:
            self._transport.resume_reading()
            self._is_paused = False
        return data

    async def drained(self) -> None:
        """Wait until little of the written data is left to send. Raises OSError."""
        await self._may_write.wait()
        self._raise_error()

    def _end(self) -> None:
        self._ended = True
        self._news.set()
        self._may_write.set()

    def _raise_error(self) -> None:
        if isinstance(self._error, OSError):
            raise self._error
        if self._error is not None:
            raise FetchRefused(Reason.CONNECTION_FAILED, str(self._error)) from None
