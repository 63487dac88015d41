"""Canonical base64url (RFC 7515 section 2): one text for every octet sequence; other spellings are refused.

Only members of published keys are read more leniently (``decode_published``): all spellings of a number are
one key with one thumbprint, and Java's and other libraries pad, or write plain base64.
"""

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
"""Maps base64url to the standard alphabet, and everything else (also ``+``, ``/``, ``=``) to an invalid
character."""

_FROM_STANDARD: Final = bytes.maketrans(b"+/", b"-_")
_TO_URL_SAFE: Final = str.maketrans("+/", "-_")
_MAX_PADDING: Final = 2

# The characters allowed after the last full group of four: the group's length decides the padding, and the
# unused low bits must be zero (RFC 4648 section 3.5), or several texts would mean one value.
_PADDING: Final = (b"", None, b"==", b"=")
_LAST: Final = (_ALPHABET, b"", b"AQgw", b"AEIMQUYcgkosw048")


def decode(text: bytes) -> bytes:
    """Decode base64url without padding. Raises MalformedError for any other spelling."""
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


def decode_published(text: str) -> bytes:
    """Decode a member of a published key: like ``decode_text``, but padding and the alphabet of base64 are
    accepted too."""
    unpadded = text.rstrip("=")
    if unpadded != text and (len(text) % 4 or len(text) - len(unpadded) > _MAX_PADDING):
        raise MalformedError("base64 with the wrong padding")
    return decode_text(unpadded.translate(_TO_URL_SAFE))


def encode(octets: bytes) -> bytes:
    """Encode as base64url without padding."""
    return binascii.b2a_base64(octets, newline=False).rstrip(b"=\n").translate(_FROM_STANDARD)


def decode_text(text: str) -> bytes:
    """Decode base64url text from JSON. Raises MalformedError."""
    try:
        return decode(text.encode("ascii"))
    except UnicodeEncodeError:
        raise MalformedError("not canonical base64url: a character outside ASCII") from None


def encode_text(octets: bytes) -> str:
    """Encode as base64url text for JSON."""
    return encode(octets).decode("ascii")
