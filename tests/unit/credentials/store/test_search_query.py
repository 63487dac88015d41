"""Keycloak's attribute query is parsed."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.store.search_query import parse_query

PARTS = st.text(st.characters(exclude_characters='"\0', exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.dictionaries(PARTS, PARTS, max_size=5))
def test_quoted_pairs_are_read_back(pairs: dict[str, str]) -> None:
    assert parse_query(" ".join(f'"{name}":"{value}"' for name, value in pairs.items())) == pairs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ("team:a", {"team": "a"}),
        ('team:"a b"  "my name":c', {"team": "a b", "my name": "c"}),
        ("url:https://example.com:8080/", {"url": "https://example.com:8080/"}),
        ("a:1 a:2", {"a": "2"}),
        ('a:""', {"a": ""}),
    ],
)
def test_names_and_values_are_apart_by_a_colon(text: str, expected: dict[str, str]) -> None:
    assert parse_query(text) == expected


@pytest.mark.parametrize("text", ["team", ":a", "a: b", "a:" + "x" * 256, " ".join("abcdefghijk")])
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_query(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidRequestError):
        assert all(isinstance(value, str) for value in parse_query(text).values())
