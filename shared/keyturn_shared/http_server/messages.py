"""The octets of a connection as messages, delimited here before any parser sees them.

A head is counted while it arrives and checked when it is complete. The parser behind gets only complete
heads, in a form that leaves nothing to interpret.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Final

from keyturn_shared.http_server.chunks import ChunkReader
from keyturn_shared.http_server.heads import CHUNKED, MAX_HEAD_BYTES, Head, check_head
from keyturn_shared.http_server.refusal import HttpRefusalError

MAX_PIPELINED: Final = 16
"""Complete requests that wait on one connection while another is answered; callers of this reader apply
it."""

_END: Final = b"\r\n\r\n"
_MAX_KEPT_BYTES: Final = 1024
_TEXT: Final = bytes(octet for octet in range(256) if octet >= 0x20 and octet != 0x7F) + b"\t\r\n"
"""Octets allowed in a head."""
_REQUEST_LINE: Final = re.compile(rb"(?:\r\n)?[!-~]{1,32} [!-~]+ HTTP/1\.[01]\r\n")


class MessageReader:
    """Reads one connection. ``length``: of the body of the latest head, or CHUNKED. ``completed``: number of
    complete messages."""

    __slots__ = (
        "_begun",
        "_chunks",
        "_is_last",
        "_is_over",
        "_left",
        "_line_is_known",
        "_looked_at",
        "completed",
        "length",
    )

    def __init__(self) -> None:
        self.completed = 0
        self.length = 0
        self._begun = bytearray()
        self._looked_at = 0
        self._line_is_known = False
        self._left = 0
        self._chunks: ChunkReader | None = None
        self._is_last = False
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """True if the last message is complete: what follows is discarded."""
        return self._is_over

    @property
    def in_body(self) -> bool:
        """True if a message's head is complete and its body is not."""
        return self._left > 0 or self._chunks is not None

    @property
    def is_receiving(self) -> bool:
        """True if a message has begun and is incomplete."""
        return self._left > 0 or self._chunks is not None or bool(self._begun)

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Yield the data for a parser, piece by piece: no piece has octets of two messages. Raises
        HttpRefusalError, also while the pieces are consumed; then feed nothing more. What follows a last
        message is discarded (RFC 9112 section 9.6)."""
        if not self.is_receiving and not self._is_over:
            piece, at = self._take_head(data, 0)
            if at == len(data):
                return (piece,) if piece else ()
            return chain((piece,), self._pieces(data, at))
        return self._pieces(data, 0)

    def _pieces(self, data: bytes, at: int) -> Iterator[bytes]:
        size = len(data)
        while at < size and not self._is_over:
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._complete()
            elif self._chunks is not None:
                piece, at = self._chunks.feed(data, at)
                if self._chunks.is_done:
                    self._complete()
            else:
                piece, at = self._take_head(data, at)
            if piece:
                yield piece

    def _take_head(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Take a complete head, with the available part of a simple body; or nothing yet."""
        if self._begun:
            return self._go_on(data, at)
        end = data.find(_END, at, at + MAX_HEAD_BYTES) + 4
        if end == 3:
            return self._go_on(data, at)
        head = data if at == 0 and end == len(data) else data[at:end]
        octets = self._begin_body(head)
        there = len(data) - end
        if not 0 < self._left <= there:
            return octets, end
        # The usual request is complete: one piece for the parser instead of two.
        at, end = at, end + self._left
        self._left = 0
        self._complete()
        if octets is not head:
            return octets + data[end - self.length : end], end
        return (data if at == 0 and end == len(data) else data[at:end]), end

    def _go_on(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Keep a partial head until it is complete."""
        begun = self._begun
        before = len(begun)
        begun += data[at : at + MAX_HEAD_BYTES + 1 - before]
        end = begun.find(_END, max(0, self._looked_at - 3)) + 4
        if end == 3 or end > MAX_HEAD_BYTES:
            self._refuse_hopeless()
            return b"", at + len(begun) - before
        octets = self._begin_body(bytes(begun[:end]))
        self._begun = bytearray()
        self._looked_at = 0
        self._line_is_known = False
        return octets, at + end - before

    def _refuse_hopeless(self) -> None:
        """Refuse at once what can no longer become a head. No octet is scanned repeatedly."""
        begun = self._begun
        if begun.startswith((b"\n", b"\r\n\r")) or not _is_text(begun[max(0, self._looked_at - 1) :]):
            raise HttpRefusalError(
                400, "the request head contains a control character or line break that is not allowed"
            )
        if not self._line_is_known and begun.find(b"\n", max(2, self._looked_at)) >= 0:
            if _REQUEST_LINE.match(begun) is None:
                raise HttpRefusalError(400, "not a request line of HTTP/1.0 or HTTP/1.1")
            self._line_is_known = True
        if len(begun) > MAX_HEAD_BYTES:
            raise HttpRefusalError(431, f"the head has more than {MAX_HEAD_BYTES} bytes")
        self._looked_at = len(begun)

    def _begin_body(self, head: bytes) -> bytes:
        octets, self.length, self._is_last = _checked(head)
        if self.length == CHUNKED:
            self._chunks = ChunkReader()
        elif self.length:
            self._left = self.length
        else:
            self._complete()
        return octets

    def _complete(self) -> None:
        self._chunks = None
        self.completed += 1
        self._is_over = self._is_last


def _checked(head: bytes) -> Head:
    """Check a head, or reuse a cached result: callers send the same head again and again. Heads with
    credentials are not cached."""
    if len(head) > _MAX_KEPT_BYTES or _names_credential(head.lower()):
        return check_head(head)
    return _check_cached(head)


def _names_credential(head: bytes) -> bool:
    return b"authorization:" in head or b"cookie:" in head or b"dpop:" in head or b"client-cert" in head


_check_cached = lru_cache(maxsize=1024)(check_head)


def _is_text(part: bytearray) -> bool:
    """Return whether a part has no control character, and no CR or LF without the other except at its
    ends."""
    pairs = part.count(b"\r\n")
    ends = part.count(b"\n") - pairs - part.startswith(b"\n")
    returns = part.count(b"\r") - pairs - part.endswith(b"\r")
    return not ends and not returns and not part.translate(None, _TEXT)
