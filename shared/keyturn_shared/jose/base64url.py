"""Canonical base64url (RFC 7515 section 2): one text for every octet sequence, and nothing else accepted."""

import binascii
import string
from typing import Final

from keyturn_shared.jose.errors import MalformedError

_ALPHABET: Final = (string.ascii_letters + string.digits).encode() + b"-_"
_INVALID: Final = ord("*")

_TO_STANDARD: Final = bytes(
    {ord("-"): ord("+"), ord("_"): ord("/")}.get(octet, octet if octet in _ALPHABET else _INVALID)
    for octet in range(256)
)
"""base64url to the standard alphabet; all else, ``+``, ``/`` and ``=`` too, to an invalid character."""

_FROM_STANDARD: Final = bytes.maketrans(b"+/", b"-_")

# What may follow the last full group of four characters: its length decides the padding, and the unused low
# bits of the last character have to be zero (RFC 4648 section 3.5), or several texts would mean one value.
_PADDING: Final = (b"", None, b"==", b"=")
_LAST: Final = (_ALPHABET, b"", b"AQgw", b"AEIMQUYcgkosw048")


def decode(text: bytes) -> bytes:
    """The octets of a base64url text without padding. Raises MalformedError for any other spelling."""
    if not text:
        return b""
    remainder = len(text) & 3
    padding = _PADDING[remainder]
    if padding is None or text[-1] not in _LAST[remainder]:
        raise MalformedError("not canonical base64url: length or trailing bits")
    try:
        return binascii.a2b_base64(text.translate(_TO_STANDARD) + padding, strict_mode=True)
    except binascii.Error:
        raise MalformedError("not canonical base64url: a character outside its alphabet") from None


def encode(octets: bytes) -> bytes:
    """Base64url without padding."""
    return binascii.b2a_base64(octets, newline=False).rstrip(b"=\n").translate(_FROM_STANDARD)


def decode_text(text: str) -> bytes:
    """As ``decode``, for text out of JSON."""
    try:
        return decode(text.encode("ascii"))
    except UnicodeEncodeError:
        raise MalformedError("not canonical base64url: a character outside ASCII") from None


def encode_text(octets: bytes) -> str:
    """As ``encode``, for text that goes into JSON."""
    return encode(octets).decode("ascii")
