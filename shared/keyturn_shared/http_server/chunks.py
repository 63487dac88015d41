"""Chunked bodies (RFC 9112 section 7.1), passed on without extensions and trailers.

Trailers describe the body and are no part of the head (RFC 9110 section 6.5.1). No code here reads them.
"""

import re
from typing import Final

from keyturn_shared.http_server.heads import FIELD_LINE
from keyturn_shared.http_server.refusal import HttpRefusalError

MAX_LINE_BYTES: Final = 256
"""Longest chunk-size line."""
MAX_EXTENSION_BYTES: Final = 4096
"""Total of all chunk extensions of a body."""
MAX_SMALL_CHUNKS: Final = 256
"""Small chunks of a body, in addition to one per 64 octets: reading a chunk costs more than sending one."""
MAX_TRAILER_BYTES: Final = 8192
MAX_TRAILERS: Final = 32

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_SIZE_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,12})((?:[ \t]*;[ \t]*"
    + (_TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?")
    + rb")*)\r\n"
)
_PLAIN_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,12})\r\n")
_TRAILER: Final = re.compile(FIELD_LINE)


class ChunkReader:
    """Reads one body. ``is_done``: its end was read."""

    def __init__(self) -> None:
        self.is_done = False
        self._line = b""
        self._left = 0
        self._in_trailers = False
        self._ends_chunk = False
        self._chunks = 0
        self._bytes = 0
        self._extension_bytes = 0
        self._trailer_bytes = 0
        self._trailers = 0

    def feed(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Return the available part of the body as one chunk, and its end in ``data``. Raises
        HttpRefusalError."""
        parts: list[bytes] = []
        size = len(data)
        while at < size and not self.is_done:
            if self._left:
                piece = data[at : at + self._left]
                parts.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._bytes += len(piece)
                self._ends_chunk = not self._left
                continue
            if not (self._line or self._ends_chunk or self._in_trailers):
                at = self._take_whole_chunks(data, at, parts)
            end = data.find(b"\n", at, at + MAX_LINE_BYTES) + 1
            part = data[at : end or at + MAX_LINE_BYTES]
            self._line += part
            at += len(part)
            if self._is_hopeless():
                raise HttpRefusalError(400, "a chunk cannot be read")
            if end:
                line, self._line = self._line, b""
                self._read_line(line)
        body = b"".join(parts)
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return chunk + b"0\r\n\r\n" if self.is_done else chunk, at

    def _take_whole_chunks(self, data: bytes, at: int, parts: list[bytes]) -> int:
        """Read whole chunks without extensions, in a third of the time; return where they end."""
        while (line := _PLAIN_SIZE_LINE.match(data, at)) is not None:
            length = int(line[1], 16)
            begin = line.end()
            end = begin + length
            if not length or data[end : end + 2] != b"\r\n":
                break
            self._count_chunk()
            parts.append(data[begin:end])
            self._bytes += length
            at = end + 2
        return at

    def _is_hopeless(self) -> bool:
        """Return whether a partial line is invalid already, so that it is refused at once and not by
        timeout."""
        limit = MAX_TRAILER_BYTES if self._in_trailers else MAX_LINE_BYTES
        if self._in_trailers and self._trailer_bytes + len(self._line) > MAX_TRAILER_BYTES:
            return True
        return len(self._line) > limit or (self._ends_chunk and not b"\r\n".startswith(self._line))

    def _read_line(self, line: bytes) -> None:
        if self._ends_chunk:
            self._ends_chunk = False
        elif self._in_trailers:
            self._read_trailer(line)
        else:
            self._read_size(line)

    def _read_size(self, line: bytes) -> None:
        matched = _SIZE_LINE.fullmatch(line)
        if matched is None:
            raise HttpRefusalError(400, "the size of a chunk cannot be read")
        self._extension_bytes += len(matched[2])
        if self._extension_bytes > MAX_EXTENSION_BYTES:
            raise HttpRefusalError(400, "too many chunk extensions")
        self._count_chunk()
        self._left = int(matched[1], 16)
        self._in_trailers = not self._left

    def _count_chunk(self) -> None:
        self._chunks += 1
        if self._chunks > MAX_SMALL_CHUNKS + self._bytes // 64:
            raise HttpRefusalError(400, "too many small chunks")

    def _read_trailer(self, line: bytes) -> None:
        if line == b"\r\n":
            self.is_done = True
            return
        self._trailer_bytes += len(line)
        self._trailers += 1
        if self._trailers > MAX_TRAILERS or _TRAILER.fullmatch(line) is None:
            raise HttpRefusalError(400, "the trailers cannot be read")
