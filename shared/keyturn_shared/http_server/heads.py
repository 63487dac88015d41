"""Request heads, checked completely before a parser sees them (RFC 9112 sections 2 to 6).

A head that two parsers could interpret differently is refused. Fields that keyturn ignores are removed, so
that the parser ignores them too.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from keyturn_shared.http_server.refusal import HttpRefusalError

MAX_HEAD_BYTES: Final = 32 * 1024
MAX_FIELDS: Final = 100
CHUNKED: Final = -1
"""Length of a chunked body."""

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
FIELD_LINE: Final = _TOKEN + rb"++:[\t\x20-\x7e\x80-\xff]*+\r\n"
"""RFC 9112 section 5: no space before the colon, no folded line, no control character."""

_HEAD: Final = re.compile(
    rb"(?:\r\n)?(" + _TOKEN + rb"{1,32}) ([!-~]++) HTTP/1\.([01])\r\n(?:" + FIELD_LINE + rb")*+\r\n"
)
_USED_FIELDS: Final = re.compile(
    rb"\r\n(host|connection|content-length|transfer-encoding|upgrade|proxy-connection):[ \t]*([^\r]*)",
    re.IGNORECASE,
)
_IGNORED_FIELDS: Final = re.compile(rb"\r\n(?:upgrade|proxy-connection):[^\r]*", re.IGNORECASE)
_HOST: Final = re.compile(rb"\r\nhost:[^\r]*", re.IGNORECASE)
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]*)([^#]*)", re.IGNORECASE)
# RFC 3986 section 3.2.2, without user information (RFC 9110 section 4.2.4) and without an empty name.
_AUTHORITY: Final = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,}\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?"
)
_HOST_SIZE, _CONNECTION_SIZE, _LENGTH_SIZE, _CODING_SIZE = 4, 10, 14, 17
"""Lengths of field names, which distinguish these fields."""
_CR, _SLASH = b"\r/"
_MAX_HOST_BYTES: Final = 261
"""A name of 255 octets and a port."""
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")


class Head(NamedTuple):
    """A valid head. ``octets``: the head as the parser gets it. ``length``: of the body, or CHUNKED.
    ``is_last``: no request follows on the connection."""

    octets: bytes
    length: int
    is_last: bool


def check_head(head: bytes) -> Head:
    """Check a head, including the empty line at its end. Raises HttpRefusalError."""
    matched = _HEAD.fullmatch(head)
    if matched is None:
        raise HttpRefusalError(400, "the head is not that of an HTTP/1.0 or HTTP/1.1 request")
    method, target, minor = matched.groups()
    if method == b"CONNECT":  # even with a path, which parsers read as a tunnel's target
        raise HttpRefusalError(405, "tunnels are not supported")
    is_current = minor == b"1"
    octets = head[2:] if head[0] == _CR else head  # RFC 9112 section 2.2
    if octets.count(b"\n") > MAX_FIELDS + 2:
        raise HttpRefusalError(431, f"more than {MAX_FIELDS} fields")
    host = length = coding = connection = None
    for name, value in _USED_FIELDS.findall(head):
        size = len(name)
        if size == _HOST_SIZE:
            host = _once(host, value, "Host")
        elif size == _LENGTH_SIZE:
            length = _once(length, value, "Content-Length")
        elif size == _CODING_SIZE:
            coding = _once(coding, value, "Transfer-Encoding")
        elif size == _CONNECTION_SIZE:
            connection = value if connection is None else connection + b"," + value
        else:  # Upgrade may be ignored (RFC 9110 section 7.8), Proxy-Connection must be (RFC 9112 C.2.2)
            octets = _IGNORED_FIELDS.sub(b"", octets)
    if host is None:
        if is_current:
            raise HttpRefusalError(400, "no Host")  # RFC 9112 section 3.2
    elif len(host) > _MAX_HOST_BYTES or not _is_authority(host):
        raise HttpRefusalError(400, "Host is not valid in an http URI")
    if target[0] != _SLASH:
        octets = _to_origin_form(octets, method, target)
    elif b"#" in target:
        raise HttpRefusalError(400, "a request target must not have a fragment")
    is_last = not is_current if connection is None else _is_last(connection, is_current=is_current)
    if coding is not None:
        return Head(octets, _length_of_coding(coding, length, is_current=is_current), is_last)
    return Head(octets, 0 if length is None else _number(length), is_last)


def _once(before: bytes | None, value: bytes, name: str) -> bytes:
    """Accept a field that may occur once: readers differ in which one they use (RFC 9112 sections 3.2,
    6.3)."""
    if before is not None:
        raise HttpRefusalError(400, f"more than one {name}")
    return value.rstrip(b" \t")


@lru_cache(maxsize=1024)
def _is_authority(host: bytes) -> bool:
    return _AUTHORITY.fullmatch(host) is not None


def _number(length: bytes) -> int:
    if _LENGTH.fullmatch(length) is None:
        raise HttpRefusalError(400, "Content-Length is not a number")
    return int(length)


def _length_of_coding(coding: bytes, length: bytes | None, *, is_current: bool) -> int:
    """Apply RFC 9112 sections 6.1 and 6.3; where they allow a choice, the stricter one."""
    if length is not None:
        raise HttpRefusalError(400, "both Transfer-Encoding and Content-Length")
    if not is_current:
        raise HttpRefusalError(400, "HTTP/1.0 does not allow Transfer-Encoding")
    if coding.lower() != b"chunked":
        raise HttpRefusalError(400, "a Transfer-Encoding other than chunked")
    return CHUNKED


def _is_last(connection: bytes, *, is_current: bool) -> bool:
    """Return whether the connection ends after this request (RFC 9112 section 9.3)."""
    options = [option.strip(b" \t") for option in connection.lower().split(b",")]
    return b"close" in options or not (is_current or b"keep-alive" in options)


def _to_origin_form(octets: bytes, method: bytes, target: bytes) -> bytes:
    """Convert an absolute target to origin form, with its authority as the Host (RFC 9112 section 3.2)."""
    if target == b"*" and method == b"OPTIONS":
        return octets
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or len(absolute[1]) > _MAX_HOST_BYTES or not _is_authority(absolute[1]):
        raise HttpRefusalError(400, "the request target has none of the four forms")
    rest: bytes = absolute[2]
    if not rest.startswith(b"/"):
        rest = b"/" + rest
    octets = octets.replace(b" " + target + b" ", b" " + rest + b" ", 1)
    return _HOST.sub(lambda _: b"\r\nHost: " + absolute[1], octets)
