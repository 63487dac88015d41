"""A loop that accepts connections and passes their sockets on."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import structlog

_ACCEPTED_AT_ONCE: Final = 64
_PAUSE_SECONDS: Final = 0.5
"""Pause after a failed accept, for example when no file descriptor is left."""

_log = structlog.get_logger(__name__)


class Acceptor:
    """Accepts connections. ``take``: gets each socket and the address of its caller. While it is paused,
    callers wait in the socket's queue."""

    def __init__(self, listening: socket.socket, take: Callable[[socket.socket, str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._take = take
        self._again: asyncio.TimerHandle | None = None
        self._is_reading = False
        listening.setblocking(False)
        self.resume()

    def pause(self) -> None:
        """Accept nothing until ``resume``."""
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._listening)

    def resume(self) -> None:
        """Accept again."""
        if not self._is_reading and self._listening.fileno() >= 0:
            self._is_reading = True
            self._loop.add_reader(self._listening, self._accept)

    def close(self) -> None:
        """Stop accepting, and close the socket."""
        if self._again is not None:
            self._again.cancel()
        self.pause()
        self._listening.close()

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            if not self._is_reading:
                return
            try:
                accepted, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                _log.warning("accept_failed", reason=error.strerror)
                self.pause()
                self._again = self._loop.call_later(_PAUSE_SECONDS, self.resume)
                return
            self._take(accepted, peer[0])
