"""Hostile servers on the loopback interface, each with the reason why its answer is refused.

Their answers are written as raw octets, so that no library corrects them.
"""

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]

MIB = 1024 * 1024
_JSON = "Content-Type: application/json"
_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "k1",
    "alg": "ES256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
GOOD_BODY = json.dumps({"keys": [_KEY]}).encode()


@dataclass(frozen=True)
class HostileServer:
    """``serve`` gets the connection once the request was read."""

    attack: str
    reason: str
    serve: Serve


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1")


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """Build a complete answer; its length is added unless a header concerns it."""
    named = {line.partition(":")[0].lower() for line in headers}
    if named.isdisjoint({"content-length", "transfer-encoding"}):
        headers = (*headers, f"Content-Length: {len(body)}")
    return head(status, *headers) + body


def _says(attack: str, reason: str, *parts: bytes) -> HostileServer:
    async def serve(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return HostileServer(attack, reason, serve)


def _repeats(
    attack: str, reason: str, begin: bytes, again: bytes, *, every: float = 0.0, times: int = 100_000
) -> HostileServer:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        for _ in range(times):
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(every)

    return HostileServer(attack, reason, serve)


async def _hangs(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _resets(writer: asyncio.StreamWriter) -> None:
    # Without lingering the connection ends with a reset (RST).
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def _redirect(attack: str, status: str, to: str) -> HostileServer:
    return _says(attack, "redirect", answer(status, f"Location: {to}"))


def _typed(attack: str, media_type: str, body: bytes = GOOD_BODY) -> HostileServer:
    return _says(attack, "content_type", answer("200 OK", f"Content-Type: {media_type}", body=body))


def _packed(attack: str, reason: str, encoding: str, body: bytes) -> HostileServer:
    return _says(attack, reason, answer("200 OK", _JSON, f"Content-Encoding: {encoding}", body=body))


def _set(attack: str, reason: str, body: bytes) -> HostileServer:
    return _says(attack, reason, answer("200 OK", _JSON, body=body))


def _keys(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


REDIRECTS = (
    _redirect("redirect to metadata", "302 Found", "http://169.254.169.254/latest/meta-data/"),
    _redirect("permanent redirect to loopback", "301 Moved Permanently", "http://127.0.0.1:6379/"),
    _redirect("redirect that keeps the method", "307 Temporary Redirect", "https://10.0.0.7/jwks"),
    _redirect("redirect to a file", "308 Permanent Redirect", "file:///etc/passwd"),
    _redirect("redirect to itself, for ever", "303 See Other", "/jwks"),
    _says("choices instead of an answer", "redirect", answer("300 Multiple Choices", _JSON, body=GOOD_BODY)),
)

STATUSES = (
    _says("client error with good keys in it", "status", answer("404 Not Found", _JSON, body=GOOD_BODY)),
    _says("server error", "status", answer("500 Internal Server Error")),
    _says(
        "keys with status 203", "status", answer("203 Non-Authoritative Information", _JSON, body=GOOD_BODY)
    ),
    _says("part of a set", "status", answer("206 Partial Content", _JSON, body=GOOD_BODY)),
    _says("no content", "status", answer("204 No Content")),
    _says("switch of protocols", "protocol_error", answer("101 Switching Protocols", "Upgrade: x")),
    _says("304 to a request without conditions", "not_modified", answer("304 Not Modified", 'ETag: "x"')),
)

TYPES = (
    _typed("HTML page", "text/html", b"<html>log in</html>"),
    _typed("keys called HTML", "text/html; charset=utf-8"),
    _typed("picture", "image/png"),
    _typed("form", "application/x-www-form-urlencoded"),
)

SIZES = (
    _set("a million keys", "too_large", b'{"keys":[' + b"{}," * 999_999 + b"{}]}"),
    _set("101 keys", "invalid_key_set", _keys(*({**_KEY, "kid": str(n)} for n in range(101)))),
    _says("100 GB announced", "too_large", head("200 OK", _JSON, "Content-Length: 107374182400")),
    _repeats(
        "chunks without end",
        "too_large",
        head("200 OK", _JSON, "Transfer-Encoding: chunked"),
        b"4000\r\n" + b" " * 0x4000 + b"\r\n",
    ),
    _repeats("body without length or end", "too_large", head("200 OK", _JSON), b" " * 0x4000),
    _packed("gzip bomb, 16 MiB in 16 KiB", "too_large", "gzip", gzip.compress(b" " * 16 * MIB)),
    _packed("gzip bomb behind good keys", "too_large", "gzip", gzip.compress(GOOD_BODY + b" " * 8 * MIB)),
    _repeats(
        "gzip without end",
        "too_large",
        head("200 OK", _JSON, "Content-Encoding: gzip", "Transfer-Encoding: chunked")
        + b"a\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\r\n",
        b"4005\r\n\0\0\x40\xff\xbf" + b" " * 0x4000 + b"\r\n",
    ),
    _repeats(
        "headers without end", "protocol_error", b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 900 + b"\r\n"
    ),
    _repeats("one header without end", "protocol_error", b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 4096),
    _repeats("status line without end", "protocol_error", b"HTTP/1.1 200 ", b"a" * 4096),
    _set("keys nested 100,000 deep", "invalid_key_set", b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    _set("number of 100,000 digits", "invalid_key_set", b'{"keys":[],"n":' + b"9" * 100_000 + b"}"),
)

ENCODINGS = (
    _packed("invalid gzip", "content_encoding", "gzip", GOOD_BODY),
    _packed("gzip cut off", "content_encoding", "gzip", gzip.compress(GOOD_BODY)[:-10]),
    _packed("deflate, which was not asked for", "content_encoding", "deflate", zlib.compress(GOOD_BODY)),
    _packed("Brotli, which was not asked for", "content_encoding", "br", b"\x0b\x02\x80{}\x03"),
    _packed("gzip twice", "content_encoding", "gzip, gzip", gzip.compress(gzip.compress(GOOD_BODY))),
)

TIMES = (
    HostileServer("no answer at all", "timeout", _hangs),
    _repeats("a byte of the head a moment", "timeout", b"HTTP/1.1 200 OK\r\n", b"x", every=0.05),
    _repeats(
        "a byte of the body a moment",
        "timeout",
        head("200 OK", _JSON, "Content-Length: 9999"),
        b" ",
        every=0.05,
    ),
    _repeats("interim answers without end", "timeout", b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", every=0.01),
    HostileServer("connection reset", "connection_failed", _resets),
)

LIES = (
    _says(
        "body shorter than announced",
        "protocol_error",
        head("200 OK", _JSON, f"Content-Length: {len(GOOD_BODY) + 100}") + GOOD_BODY,
    ),
    _says(
        "body longer than announced, cut there",
        "invalid_key_set",
        head("200 OK", _JSON, f"Content-Length: {len(GOOD_BODY) - 5}") + GOOD_BODY,
    ),
    _says(
        "two lengths",
        "protocol_error",
        head("200 OK", _JSON, "Content-Length: 2", f"Content-Length: {len(GOOD_BODY)}") + GOOD_BODY,
    ),
    _says("length below nothing", "protocol_error", head("200 OK", _JSON, "Content-Length: -1") + b"{}"),
    _says(
        "length that is not a number", "protocol_error", head("200 OK", _JSON, "Content-Length: lots") + b"{}"
    ),
    _says(
        "malformed chunk",
        "protocol_error",
        head("200 OK", _JSON, "Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n",
    ),
    _says(
        "chunks that end in the middle",
        "protocol_error",
        head("200 OK", _JSON, "Transfer-Encoding: chunked") + b"ff\r\n{",
    ),
    _says("no HTTP", "protocol_error", b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    _says("HTTP/2 without being asked", "protocol_error", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80" * 4),
    _says("a NUL in a header", "protocol_error", b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n{}"),
    _says("nothing, and goodbye", "protocol_error"),
)

SETS = (
    _set("empty set", "no_usable_keys", _keys()),
    _set("empty body", "invalid_key_set", b""),
    _set("HTML called JSON", "invalid_key_set", b"<html>maintenance</html>"),
    _set("a private key among good ones", "invalid_key_set", _keys(_KEY, {**_KEY, "d": "AQAB"})),
    _set("a shared secret", "invalid_key_set", _keys({"kty": "oct", "k": "c2VjcmV0"})),
    _set("weak keys only", "no_usable_keys", _keys({"kty": "RSA", "e": "AQAB", "n": "v" * 170 + "w"})),
    _set("keys for encryption only", "no_usable_keys", _keys({**_KEY, "use": "enc"})),
    _set("a point that is not on its curve", "no_usable_keys", _keys({**_KEY, "y": _KEY["x"]})),
    _set("members twice", "invalid_key_set", b'{"keys":[],"keys":' + _keys(_KEY)[9:]),
    _set("no UTF-8", "invalid_key_set", b'{"keys":[],"x":"\xff\xfe"}'),
)

HOSTILE_SERVERS = (*REDIRECTS, *STATUSES, *TYPES, *SIZES, *ENCODINGS, *TIMES, *LIES, *SETS)
