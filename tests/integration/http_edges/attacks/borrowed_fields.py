"""An administrator's credentials outside of the head's fields: they must not authenticate the caller.

A secret that was believed would get a token, and an access token would make a client: see ``IN_THE_OPEN``.
"""

from typing import Final

from tests.integration.http_edges.attacks import HttpAttack
from tests.testkit.http_reading.stream import chunked, request, sized

_TRAILER: Final = "RFC 9110 6.5.1"
_FORM: Final = b"grant_type=client_credentials"
_TYPE: Final = b"Content-Type: application/x-www-form-urlencoded"
_CLIENT: Final = b'{"clientId": "borrowed"}'
_JSON: Final = b"Content-Type: application/json"

IN_THE_OPEN: Final = {
    "Basic": sized(_FORM, _TYPE, b"Authorization: BASIC"),
    "Bearer": sized(_CLIENT, _JSON, b"Authorization: BEARER"),
}
"""The requests of the attacks with the credentials where they belong."""


def _basic(trailer: bytes, *fields: bytes) -> bytes:
    return _trailed(_FORM, trailer, _TYPE, *fields)


def _bearer(trailer: bytes, *fields: bytes) -> bytes:
    return _trailed(_CLIENT, trailer, _JSON, *fields)


def _trailed(body: bytes, trailer: bytes, *fields: bytes) -> bytes:
    return chunked(b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(body), body, trailer), *fields)


ATTACKS: Final = [
    HttpAttack("Basic in a trailer", _TRAILER, _basic(b"Authorization: BASIC")),
    HttpAttack("Bearer in a trailer", _TRAILER, _bearer(b"Authorization: BEARER")),
    HttpAttack(
        "Basic in an announced trailer",
        _TRAILER,
        _basic(b"Authorization: BASIC", b"Trailer: Authorization"),
    ),
    HttpAttack(
        "Bearer in a trailer after TE",
        _TRAILER,
        _bearer(b"Authorization: BEARER", b"TE: trailers", b"Connection: TE"),
    ),
    HttpAttack(
        "Basic in a chunk extension", "RFC 9112 7.1.1", chunked(b"3;Authorization=BASIC\r\nabc\r\n0\r\n\r\n")
    ),
    HttpAttack(
        "Basic in a folded line", "RFC 9112 5.2", sized(_FORM, _TYPE, b"X: y\r\n Authorization: BASIC")
    ),
    HttpAttack(
        "Bearer behind a bare CR", "RFC 9112 2.2", sized(_CLIENT, _JSON, b"X: y\rAuthorization: BEARER")
    ),
    HttpAttack(
        "Bearer behind a bare LF",
        "RFC 9112 2.2",  # which allows to end a line there
        sized(_CLIENT, _JSON, b"X: y\nAuthorization: BEARER"),
        nginx_reads=True,
    ),
    HttpAttack(
        "Basic with a space before the colon", "RFC 9112 5.1", sized(_FORM, _TYPE, b"Authorization : BASIC")
    ),
    HttpAttack(
        "Basic under a name with underscores",
        "RFC 9110 5.1",
        sized(_FORM, _TYPE, b"Proxy_Authorization: BASIC"),
    ),
    HttpAttack("Basic for a proxy", "RFC 9110 11.7", sized(_FORM, _TYPE, b"Proxy-Authorization: BASIC")),
    HttpAttack(
        "Bearer in the next request",
        "RFC 9112 9.3.2",
        sized(_CLIENT, _JSON) + request(b"Authorization: BEARER", method=b"FROB"),
    ),
    HttpAttack(
        "Bearer in the request before",
        "RFC 9112 9.3.2",
        request(b"Authorization: BEARER", method=b"FROB") + sized(_CLIENT, _JSON),
    ),
    HttpAttack(
        "credentials in the target", "RFC 9110 4.2.4", request(_TYPE, target=b"http://admin:secret@x/PATH")
    ),
]
