"""A signature as the last member of the JSON object that it covers.

The signature covers the object without this member, octet by octet, so no canonical form is needed. A reader
of an earlier release ignores the unknown member.
"""

from typing import Final

from keyturn_shared.signed_log.errors import UnsignedError
from keyturn_shared.signed_log.keys import SIGNATURE_CHARACTERS

MEMBER: Final = "signature"
_BEFORE: Final = f'"{MEMBER}":"'.encode()
_AFTER: Final = b'"}'
_EMPTY: Final = b"{}"


def attach(body: bytes, signature: bytes) -> bytes:
    """Add the signature to the object."""
    separator = b"" if body == _EMPTY else b","
    return body[:-1] + separator + _BEFORE + signature + _AFTER


def signature_of(signed: bytes) -> bytes | None:
    """Return the signature; None if there is none."""
    end = len(signed) - len(_AFTER)
    start = end - SIGNATURE_CHARACTERS
    if start < len(_BEFORE) or not signed.endswith(_AFTER) or not signed.endswith(_BEFORE, 0, start):
        return None
    return signed[start:end]


def detach(signed: bytes) -> tuple[bytes, bytes]:
    """Split into the object as it was signed, and the signature. Raises UnsignedError if there is none."""
    signature = signature_of(signed)
    if signature is None:
        raise UnsignedError("the object has no signature")
    body = signed[: -(len(_BEFORE) + SIGNATURE_CHARACTERS + len(_AFTER))]
    return body.removesuffix(b",") + b"}", signature
