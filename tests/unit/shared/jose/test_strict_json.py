"""JSON is accepted only if every reader agrees on its value."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError

_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
_objects = st.dictionaries(st.text(max_size=5), _values, max_size=6)


@settings(deadline=None)
@given(_objects, st.booleans(), st.sampled_from([None, 1]))
def test_every_spelling_of_an_object_is_read(
    value: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    """Writers choose whitespace and escapes; the value equals the standard library's."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert strict_json.decode_object(text) == value


@settings(deadline=None)
@given(_objects.filter(bool), st.data())
def test_a_name_twice_is_refused_however_it_is_spelled(value: dict[str, Any], data: st.DataObject) -> None:
    """Also if the second spelling uses escapes."""
    name = data.draw(st.sampled_from(sorted(value)))
    again = data.draw(st.sampled_from([json.dumps(name), '"' + "".join(_escaped(name)) + '"']))
    text = json.dumps(value)[:-1] + f", {again}: 1}}"
    with pytest.raises(MalformedError, match="twice"):
        strict_json.decode_object(text.encode())


def _escaped(name: str) -> list[str]:
    units = name.encode("utf-16-be")
    return [f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)]


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]":,0123456789eE.-\\utrfalsn ', max_size=40).map(str.encode))
def test_arbitrary_octets_are_read_or_refused(text: bytes) -> None:
    """The only error is MalformedError, and accepted values equal the standard library's."""
    try:
        value = strict_json.decode_object(text)
    except MalformedError:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize("depth", [1, 15])
def test_nesting_up_to_the_bound_is_read(depth: int) -> None:
    """Sixteen containers, including the outermost object."""
    assert strict_json.decode_object(b'{"a":' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize("number", ["18446744073709551615", "-9223372036854775808", "1e308", "0.1", "-0"])
def test_numbers_of_64_bits_are_read(number: str) -> None:
    assert strict_json.decode_object(f'{{"n": {number}}}'.encode()) == {"n": json.loads(number)}
