"""A stream of octets and the reading that the RFCs require."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

PATH: Final = b"/PATH"
"""Stands in request lines for a path of the server that takes bodies. Never inside a body: lengths would
change."""
HOST: Final = b"Host: x"
SMUGGLED: Final = b"GET /health/live?smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
"""A body that is a request for a server that takes its octets for the next message."""
LAST_TARGET: Final = b"/health/live?last"
LAST: Final = b"GET " + LAST_TARGET + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Follows each stream that does not end in the middle: its answer shows where a server saw the others end."""


@dataclass(frozen=True)
class Message:
    """A request as an application sees it."""

    method: bytes
    target: bytes
    body: bytes = b""

    def __str__(self) -> str:
        method, target, body = (_abridged(part) for part in (self.method, self.target, self.body))
        return f"{method} {target} {body!r}"


def _abridged(octets: bytes) -> str:
    text = octets[:60].decode("latin-1")
    return text if len(octets) <= 60 else f"{text}... ({len(octets)} octets)"


LAST_MESSAGE: Final = Message(b"GET", LAST_TARGET)


class End(Enum):
    """State of the connection after the messages of a stream."""

    GOES_ON = "the last request is read as well"
    CLOSES = "nothing that follows is read, and the connection is closed"
    WAITS = "the next message is incomplete"


@dataclass(frozen=True)
class Stream:
    """``source``: the section that requires this reading. ``ordinary``: clients send it, so it must not be
    refused. ``absent``: fields that no message may have."""

    name: str
    source: str
    octets: bytes
    messages: tuple[Message, ...] = ()
    end: End = End.GOES_ON
    ordinary: bool = False
    absent: frozenset[bytes] = frozenset()

    @property
    def wire(self) -> bytes:
        """Return the octets to send."""
        return self.octets if self.end is End.WAITS else self.octets + LAST

    @property
    def expected(self) -> tuple[Message, ...]:
        """Return the messages of the whole wire."""
        return (*self.messages, LAST_MESSAGE) if self.end is End.GOES_ON else self.messages


def reads(
    name: str, source: str, octets: bytes, *messages: Message, absent: frozenset[bytes] = frozenset()
) -> Stream:
    """Read as these messages. A server may refuse it instead."""
    return Stream(name, source, octets, messages, absent=absent)


def ordinary(
    name: str, source: str, octets: bytes, *messages: Message, absent: frozenset[bytes] = frozenset()
) -> Stream:
    """Read as these messages by every server, because clients send it."""
    return Stream(name, source, octets, messages, ordinary=True, absent=absent)


def closes(name: str, source: str, octets: bytes, *messages: Message, is_ordinary: bool = False) -> Stream:
    """Read as these messages at most; no server reads what follows."""
    return Stream(name, source, octets, messages, End.CLOSES, is_ordinary)


def waits(name: str, source: str, octets: bytes, *messages: Message) -> Stream:
    """Read as these messages, and the beginning of another one that never ends."""
    return Stream(name, source, octets, messages, End.WAITS)


def request(
    *fields: bytes,
    method: bytes = b"POST",
    target: bytes = PATH,
    version: bytes = b"HTTP/1.1",
    body: bytes = b"",
    host: bytes | None = HOST,
) -> bytes:
    """Build a request with these field lines, unchanged, and these octets after its head."""
    lines = [b"%b %b %b" % (method, target, version), *([] if host is None else [host]), *fields, b"", b""]
    return b"\r\n".join(lines) + body


def sized(body: bytes, *fields: bytes, method: bytes = b"POST") -> bytes:
    """Build a request with its length in Content-Length."""
    return request(b"Content-Length: %d" % len(body), *fields, method=method, body=body)


def chunked(coded: bytes, *fields: bytes) -> bytes:
    """Build a request in chunks; ``coded`` are the octets for them."""
    return request(b"Transfer-Encoding: chunked", *fields, body=coded)


def post(body: bytes = b"") -> Message:
    return Message(b"POST", PATH, body)


def get(target: bytes = PATH) -> Message:
    return Message(b"GET", target)
