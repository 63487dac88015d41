"""Changes of a representation's members and attributes. Pure."""

from collections.abc import Mapping
from typing import Any

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.bounds import (
    MAX_ATTRIBUTE_NAME,
    check_attribute,
    check_attributes,
    check_document,
)
from keyturn_credentials.domain.private_key_guard import refuse_private_keys
from keyturn_credentials.errors import InvalidRequestError


def merge_members(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a representation with those given changed; a null leaves one as it is. Raises
    InvalidRequestError."""
    refuse_private_keys(changes)
    merged = {**before, **{name: value for name, value in changes.items() if value is not None}}
    if merged != before:
        check_document(merged)
    return merged


def merge_attributes(before: Mapping[str, str], changes: object) -> dict[str, str]:
    """Return attributes with those given changed; an empty one is removed. Raises InvalidRequestError."""
    merged = dict(before)
    if changes is None:
        return merged
    if not isinstance(changes, Mapping):
        raise InvalidRequestError("attributes must be an object with string values")
    for name, value in changes.items():
        text = _attribute_text(name, value)
        if name in attributes.MANAGED or name.endswith(f".{attributes.PRIVATE_KEY}"):
            continue
        if text:
            if before.get(name) != text:
                check_attribute(name, text)
            merged[name] = text
        else:
            merged.pop(name, None)
    refuse_private_keys({name: text for name, text in merged.items() if before.get(name) != text})
    if merged != before:
        check_attributes(merged)
    return merged


def _attribute_text(name: str, value: object) -> str:
    if not 0 < len(name) <= MAX_ATTRIBUTE_NAME or any(character < " " for character in name):
        raise InvalidRequestError(
            f"an attribute name must be 1 to {MAX_ATTRIBUTE_NAME} printable characters long"
        )
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            if "\0" in value:
                raise InvalidRequestError(f"attribute {name} must not contain a NUL character")
            return value
        case _:
            raise InvalidRequestError(f"attribute {name} must be a string")
