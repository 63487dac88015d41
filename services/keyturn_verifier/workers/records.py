"""Records between a node's parent and one of its workers, over a pair of Unix sockets.

Every record has the same length, so that a stream of them needs no framing, and a descriptor (an accepted
connection, or one end of a pair of sockets) arrives with its record.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Final, NamedTuple

_FORM: Final = struct.Struct("!BHI")
_READ_AT_ONCE: Final = 64


class Kind(IntEnum):
    """Meaning of a record, with its ``number``, ``slot`` and descriptor."""

    # From the parent
    CONNECTION = 1
    """An accepted connection with its number."""
    CONNECTION_BEYOND_ADDRESS = 2
    """One for which an idle connection of its address must give way. ``slot``: how many workers were asked
    before."""
    CONNECTION_BEYOND_ALL = 3
    """One for which any idle connection must give way."""
    CONNECTION_REFUSED = 4
    """One for which no worker can make room."""
    RETIRE = 5
    """No further connection follows: end those that there are without failing a request."""
    STOP = 6
    """Finish current requests and end; a second one ends at once."""
    WRITE_PAGE = 7
    """Write the metrics of this worker into the descriptor."""
    PAGE = 8
    """Read the metrics of the worker in ``slot`` from the descriptor. ``number``: the question's."""
    OWN_PAGE = 9
    """Read the metrics of the parent from the descriptor."""
    PAGES_END = 10
    """All pages were sent; ``slot``: how many workers could not be asked."""

    # From a worker
    READY = 20
    """It has joined the fleet and can answer."""
    NOT_READY = 21
    """It serves, but can only refuse."""
    TAKEN = 22
    """It has the connection with this number."""
    CLOSED = 23
    """The connection with this number has ended."""
    RETURNED = 24
    """It does not want the connection with this number: beyond a limit, it has none that could give way.
    ``slot``: how many workers were asked before it."""
    LEAVING = 25
    """It wants to retire."""
    ASK_PAGES = 26
    """It wants the metrics of all. ``number``: the question's."""


_KNOWN: Final = frozenset(Kind)


class Record(NamedTuple):
    """One message. ``descriptor``: owned by whoever gets it."""

    kind: Kind
    number: int = 0
    slot: int = 0
    descriptor: int | None = None


class RecordChannel:
    """One end. ``received``: gets each record. ``ended``: called once, when the other side is gone.
    ``with_descriptors``: descriptors may arrive; without them, many records are read at once."""

    def __init__(
        self,
        end: socket.socket,
        received: Callable[[Record], None],
        ended: Callable[[], None],
        *,
        with_descriptors: bool = True,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = end
        self._received = received
        self._ended = ended
        self._partial = b""
        self._descriptors: list[int] = []
        self._unsent = bytearray()
        self._is_waiting = False
        self._is_open = True
        end.setblocking(False)
        self._loop.add_reader(end, self._read if with_descriptors else self._read_many)

    def send(self, kind: Kind, number: int = 0, slot: int = 0) -> None:
        """Send a record; it waits for room."""
        if self._is_open:
            self._unsent += _FORM.pack(kind, slot, number)
            self._flush()

    def send_with(self, descriptor: int, kind: Kind, number: int = 0, slot: int = 0) -> bool:
        """Send a record with a copy of a descriptor. Return whether there was room for it."""
        if not self._is_open or self._unsent:
            return False
        try:
            socket.send_fds(self._end, [_FORM.pack(kind, slot, number)], [descriptor])
        except OSError:  # full, too many descriptors under way, or the other side is gone
            return False
        return True

    def close(self) -> None:
        """Close this end. The other side sees that."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._end)
        self._loop.remove_writer(self._end)
        self._end.close()
        for descriptor in self._descriptors:
            os.close(descriptor)

    def _flush(self) -> None:
        try:
            sent = self._end.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._unsent.clear()  # the reader sees the end
            return
        del self._unsent[:sent]
        if bool(self._unsent) is self._is_waiting:
            return
        self._is_waiting = not self._is_waiting
        if self._is_waiting:
            self._loop.add_writer(self._end, self._flush)
        else:
            self._loop.remove_writer(self._end)

    def _read_many(self) -> None:
        try:
            octets = self._end.recv(_FORM.size * _READ_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            octets = b""
        if not octets:
            self._end_up()
            return
        whole = self._partial + octets
        complete = len(whole) - len(whole) % _FORM.size
        self._partial = whole[complete:]
        for kind, slot, number in _FORM.iter_unpack(whole[:complete]):
            self._deliver(kind, number, slot, None)

    def _read(self) -> None:
        for _ in range(_READ_AT_ONCE):
            if not self._is_open:
                return
            wanted = _FORM.size - len(self._partial)
            try:
                octets, descriptors, _, _ = socket.recv_fds(self._end, wanted, 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                octets, descriptors = b"", []
            self._descriptors += descriptors
            if not octets:
                self._end_up()
                return
            self._partial += octets
            if len(self._partial) == _FORM.size:
                kind, slot, number = _FORM.unpack(self._partial)
                self._partial = b""
                descriptor = self._descriptors.pop(0) if self._descriptors else None
                self._deliver(kind, number, slot, descriptor)

    def _end_up(self) -> None:
        self.close()
        self._ended()

    def _deliver(self, kind: int, number: int, slot: int, descriptor: int | None) -> None:
        if kind in _KNOWN:
            self._received(Record(Kind(kind), number, slot, descriptor))
        elif descriptor is not None:  # from another release
            os.close(descriptor)


def close_descriptor(record: Record) -> None:
    """Close the descriptor of a record that nobody uses."""
    if record.descriptor is not None:
        with suppress(OSError):
            os.close(record.descriptor)
