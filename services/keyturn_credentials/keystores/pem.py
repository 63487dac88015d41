"""PEM (RFC 7468), and Keycloak's form of it: only the base64, in one line."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from keyturn_shared.keystores.errors import LimitExceededError, MalformedFileError
from keyturn_shared.keystores.limits import MAX_ENTRIES

_BEGIN: Final = "-----BEGIN "
_END: Final = "-----END "
_DASHES: Final = "-----"
_MAX_LABEL: Final = 64


@dataclass(frozen=True, slots=True)
class PemBlock:
    """The content between a BEGIN line and its END line. ``content``: empty for a private key, which is not
    even decoded."""

    label: str
    content: bytes

    @property
    def is_private_key(self) -> bool:
        return _names_private_key(self.label)


def body(der: bytes) -> str:
    """Encode DER for Keycloak's representations: base64 in one line, without BEGIN and END."""
    return base64.b64encode(der).decode("ascii")


def decode_body(text: str) -> bytes:
    """Decode base64 with any white space in it. Raises MalformedFileError."""
    try:
        return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise MalformedFileError("not base64") from None


def blocks(text: str) -> tuple[PemBlock, ...]:
    """Return the PEM blocks of a text, in order; text between them is explanation (RFC 7468 section 2). Line
    ends may be of any kind, or missing. Raises MalformedFileError, LimitExceededError."""
    found: list[PemBlock] = []
    position = text.find(_BEGIN)
    while position >= 0:
        if len(found) == MAX_ENTRIES:
            raise LimitExceededError(f"more than {MAX_ENTRIES} PEM blocks")
        block, position = _block(text, position)
        found.append(block)
        position = text.find(_BEGIN, position)
    return tuple(found)


def _block(text: str, begin: int) -> tuple[PemBlock, int]:
    label_start = begin + len(_BEGIN)
    label_stop = text.find(_DASHES, label_start, label_start + _MAX_LABEL)
    if label_stop < 0:
        raise MalformedFileError("a PEM BEGIN line is incomplete")
    label = text[label_start:label_stop]
    content_start = label_stop + len(_DASHES)
    end_line = f"{_END}{label}{_DASHES}"
    content_stop = text.find(end_line, content_start)
    if content_stop < 0:
        raise MalformedFileError(f"PEM of {label!r} without its END line")
    encoded = text[content_start:content_stop]
    content = b"" if _names_private_key(label) else decode_body(encoded)
    return PemBlock(label, content), content_stop + len(end_line)


def _names_private_key(label: str) -> bool:
    return "PRIVATE KEY" in label
