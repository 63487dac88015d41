"""JSON read so that every reader of the same text sees the same value.

Refused beyond RFC 8259's grammar: anything but an object at the top, duplicate member names at any depth
(RFC 7515 section 4, RFC 7519 section 4), numbers that no 64-bit integer or double holds, nesting
past a bound, lone surrogates, a byte order mark. NaN and Infinity are no JSON to begin with.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from keyturn_shared.jose.errors import MalformedError

MAX_DEPTH: Final = 16
"""How many objects and arrays may enclose a value, the outermost included."""

_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1

_decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode
"""Compact JSON in UTF-8, members in their order."""


def decode_object(text: bytes) -> dict[str, Any]:
    """The members of a JSON object. Raises MalformedError."""
    try:
        value = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"not JSON: {type(error).__name__}") from None
    if type(value) is not dict:
        raise MalformedError("JSON, but not an object")
    _bound(value, 1)
    # A decoded object has each name once, so a text that equals its re-encoding had each name once. Most
    # issuers write compact JSON and pass here; others (spaces, escapes) are read again, name by name.
    if encode(value) != text:
        _refuse_duplicates(text)
    return value


def _bound(container: dict[str, Any] | list[Any], depth: int) -> None:
    values: Iterable[Any] = container.values() if type(container) is dict else container
    for value in values:
        kind = type(value)
        if kind is str:
            continue
        if kind is int:
            if not _MIN_INTEGER <= value <= _MAX_INTEGER:
                raise MalformedError("an integer of more than 64 bits")
        elif kind is dict or kind is list:
            if depth == MAX_DEPTH:
                raise MalformedError(f"nested deeper than {MAX_DEPTH}")
            _bound(value, depth + 1)


def _unique(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise MalformedError("a member name occurs twice")


_read_names = json.JSONDecoder(object_pairs_hook=_unique).decode


def _refuse_duplicates(text: bytes) -> None:
    # msgspec has accepted the text, so only the hook raises here.
    _read_names(text.decode())
