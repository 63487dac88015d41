"""Endless or oversized requests, which are refused before they are complete (CWE-770)."""

from typing import Final

from tests.integration.http_edges.attacks import HttpAttack
from tests.testkit.http_reading.stream import chunked, request

_MUCH: Final = 4 * 1024 * 1024

ATTACKS: Final = [
    HttpAttack("an endless method", "RFC 9112 3", b"G" * _MUCH),
    HttpAttack("an endless target", "RFC 9112 3", b"GET /" + b"a" * _MUCH),
    HttpAttack("an endless query", "RFC 9112 3", b"GET /PATH?" + b"a" * _MUCH),
    HttpAttack("an endless version", "RFC 9112 3", b"GET /PATH HTTP/1." + b"1" * _MUCH),
    HttpAttack("an endless field", "RFC 9110 5.4", request()[:-2] + b"X: " + b"a" * _MUCH),
    HttpAttack("an endless name", "RFC 9110 5.4", request()[:-2] + b"X" * _MUCH),
    HttpAttack("endless fields", "RFC 9110 5.4", request()[:-2] + b"X: y\r\n" * (_MUCH // 6)),
    HttpAttack("endless cookies", "RFC 9110 5.4", request()[:-2] + b"Cookie: a=b\r\n" * (_MUCH // 13)),
    HttpAttack("200 fields", "RFC 9110 5.4", request(*[b"X: " + b"y" * 400] * 200)),
    HttpAttack("an endless chunk size", "RFC 9112 7.1", chunked(b"0" * _MUCH)),
    HttpAttack("an endless chunk extension", "RFC 9112 7.1.1", chunked(b"3;" + b"a" * _MUCH)),
    HttpAttack(
        "extensions with every octet",
        "RFC 9112 7.1.1",
        chunked(b"1;" + b"a" * 200 + b"\r\nx\r\n") + (b"1;" + b"a" * 200 + b"\r\nx\r\n") * 20000,
    ),
    HttpAttack("an endless trailer", "RFC 9112 7.1.2", chunked(b"0\r\nX: " + b"a" * _MUCH)),
    HttpAttack("endless trailers", "RFC 9112 7.1.2", chunked(b"0\r\n" + b"X: y\r\n" * (_MUCH // 6))),
    HttpAttack(
        "an endless body",
        "RFC 9110 15.5.14",
        request(b"Content-Length: 1000000000000", body=b"x" * 12 * 1024 * 1024),
    ),
    HttpAttack("endless chunks", "RFC 9110 15.5.14", chunked((b"10000\r\n" + b"x" * 65536 + b"\r\n") * 200)),
]
