"""Parsing of export files: one realm or an array of realms, in UTF-8 or UTF-16. Pure."""

import codecs
from typing import Any, Final

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_REALMS: Final = "realms"
MAX_DEPTH: Final = 64
"""Objects and arrays that may enclose a value of an export: each level of Keycloak's groups is two."""


def read_documents(data: bytes) -> list[dict[str, Any]]:
    """Parse the realms of a file, at least one.

    Accepts what Keycloak accepts: a byte order mark, UTF-16, several realms in an array, and a member
    repeated with the same value. Raises MalformedError, with the place if it is known.
    """
    text = _as_utf8(data).strip()
    if not text.startswith(b"["):
        return [_decode(text)]
    realms = _decode(b'{"%s":%s}' % (_REALMS.encode(), text))[_REALMS]
    if not realms or not all(isinstance(realm, dict) for realm in realms):
        raise MalformedError("an array, but not of realms")
    return list(realms)


def _decode(text: bytes) -> dict[str, Any]:
    return strict_json.decode_object(text, may_repeat=True, max_depth=MAX_DEPTH)


def _as_utf8(data: bytes) -> bytes:
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", _unmarked(data)))
    if encoding == "utf-8":
        return data.removeprefix(mark)
    try:
        return data.removeprefix(mark).decode(encoding).encode()
    except UnicodeError:
        raise MalformedError(f"damaged {encoding.upper()}") from None


def _unmarked(data: bytes) -> str:
    """Decode a file without a byte order mark. JSON begins with two ASCII characters, so the positions of
    zero bytes show the encoding (RFC 4627 section 3)."""
    return {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get(
        (data[:1] == b"\0", data[1:2] == b"\0"), "utf-8"
    )
