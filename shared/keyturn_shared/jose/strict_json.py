"""Strict JSON: every reader of an accepted text sees the same value.

Refused beyond RFC 8259's grammar: anything but an object at the top, duplicate member names at any depth (RFC
7515 section 4, RFC 7519 section 4), numbers that fit neither a 64-bit integer nor a double, excessive
nesting, lone surrogates, a byte order mark. NaN and Infinity are not JSON at all.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.jose.repeated_names import repeated_names

MAX_DEPTH: Final = 16
"""Number of objects and arrays that may enclose a value, including the outermost."""

_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1

_decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode
"""Encodes compact JSON in UTF-8, members in their order."""


def decode_object(text: bytes, *, may_repeat: bool = False, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Parse a JSON object. ``may_repeat``: accept a member repeated with the same value, on which every
    reader agrees. ``max_depth``: at most 100. Raises MalformedError."""
    try:
        value = _decode(text)
    except msgspec.MsgspecError as error:
        # The message names the fault and its offset, and nothing of the text itself.
        raise MalformedError(f"not JSON: {error}") from None
    except UnicodeDecodeError:
        raise MalformedError("not JSON: not UTF-8") from None
    except RecursionError:
        raise MalformedError("not JSON: nested too deeply") from None
    if type(value) is not dict:
        raise MalformedError("JSON, but not an object")
    _bound(value, 1, max_depth)
    # A decoded object has each name once, so a text equal to its re-encoding has no duplicates. Most issuers
    # write compact JSON and pass here; other texts (spaces, escapes) are parsed again, name by name.
    if encode(value) != text:
        _refuse_repeated(text, may_repeat=may_repeat)
    return value


def _bound(container: dict[str, Any] | list[Any], depth: int, most: int) -> None:
    values: Iterable[Any] = container.values() if type(container) is dict else container
    for value in values:
        kind = type(value)
        if kind is str:
            continue
        if kind is int:
            if not _MIN_INTEGER <= value <= _MAX_INTEGER:
                raise MalformedError("an integer of more than 64 bits")
        elif kind is dict or kind is list:
            if depth == most:
                raise MalformedError(f"nested deeper than {most}")
            _bound(value, depth + 1, most)


def _refuse_repeated(text: bytes, *, may_repeat: bool) -> None:
    for repeated in repeated_names(text.decode()):
        if not (may_repeat and repeated.is_same):
            raise MalformedError(f"a member name occurs twice: {repeated.path}")
