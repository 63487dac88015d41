"""Size limits of representations, so that no caller can fill the database or create an unreadable document.

Pure; each error names the member, the limit and the actual size.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from keyturn_credentials.domain import attributes
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.key_set import MAX_KEY_SET_BYTES

MAX_ENTRIES: Final = 1000
"""Number of entries of a list, such as ``redirectUris``."""
MAX_ENTRY_BYTES: Final = 2048
MAX_TEXT_BYTES: Final = 4096
"""Size of a member such as ``description``."""
MAX_ATTRIBUTES: Final = 500
MAX_ATTRIBUTE_NAME: Final = 255
MAX_ATTRIBUTE_BYTES: Final = 64 * 1024
"""Size of one attribute's value; an inline JWK Set may be as large as verifiers read."""
MAX_ATTRIBUTES_BYTES: Final = 1024 * 1024
"""Size of all attributes together."""
MAX_DOCUMENT_BYTES: Final = 1024 * 1024
"""Size of all other members together, as JSON."""


def check_list(name: str, entries: list[str]) -> None:
    """Raise InvalidRequestError for too many entries, or an entry that is too long."""
    if len(entries) > MAX_ENTRIES:
        raise InvalidRequestError(f"{name} has {len(entries)} entries; at most {MAX_ENTRIES} are allowed")
    for entry in entries:
        _check_length(f"an entry of {name}", entry, MAX_ENTRY_BYTES)


def check_text(name: str, text: str) -> None:
    """Raise InvalidRequestError for a text that is too long."""
    _check_length(name, text, MAX_TEXT_BYTES)


def check_attribute(name: str, text: str) -> None:
    """Raise InvalidRequestError for an attribute value that is too long."""
    most = MAX_KEY_SET_BYTES if name == attributes.JWKS_STRING else MAX_ATTRIBUTE_BYTES
    _check_length(f"attribute {name}", text, most)


def check_attributes(values: Mapping[str, str]) -> None:
    """Raise InvalidRequestError for too many attributes, or too large ones in total."""
    if len(values) > MAX_ATTRIBUTES:
        raise InvalidRequestError(
            f"attributes has {len(values)} members; at most {MAX_ATTRIBUTES} are allowed"
        )
    total = sum(len(name.encode()) + len(text.encode()) for name, text in values.items())
    if total > MAX_ATTRIBUTES_BYTES:
        raise InvalidRequestError(
            f"attributes have {total} bytes together; at most {MAX_ATTRIBUTES_BYTES} are allowed"
        )


def check_document(members: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for a document that is too long, including parts sent in earlier requests."""
    size = len(msgspec.json.encode(members))
    if size > MAX_DOCUMENT_BYTES:
        raise InvalidRequestError(
            f"the representation has {size} bytes; at most {MAX_DOCUMENT_BYTES} are allowed"
        )


def _check_length(what: str, text: str, most: int) -> None:
    if len(text) > most // 4 and (size := len(text.encode())) > most:
        raise InvalidRequestError(f"{what} has {size} bytes; at most {most} are allowed")
