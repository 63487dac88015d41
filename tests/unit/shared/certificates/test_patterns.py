"""Patterns for subjects match like in the usual engines, and never take long."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.certificates.errors import InvalidNameError
from keyturn_shared.certificates.patterns import Pattern

_ATOMS = st.sampled_from(
    ["a", "b", ",", ".", r"\.", r"\w", r"\D", "[ab]", "[^a]", "[a-c,]", "=", r"\s", "[-a]"]
)
_QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{2,}", "{0,2}?"])
_EXPRESSIONS = st.recursive(
    st.one_of(st.tuples(_ATOMS, _QUANTIFIERS).map("".join), st.sampled_from(["^", "$"])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(st.sampled_from(["(", "(?:"]), inner, st.just(")"), _QUANTIFIERS).map("".join),
    ),
    max_leaves=8,
)


@given(_EXPRESSIONS, st.text("abc,.= A1", max_size=8))
def test_a_pattern_matches_what_python_has_it_match(expression: str, text: str) -> None:
    expected = re.fullmatch(expression, text, re.ASCII) is not None
    assert Pattern.read(expression).matches(text) is expected


@given(st.text("abC[-]i,", max_size=4), st.text("aBcI,", max_size=4))
def test_case_is_ignored_where_the_pattern_says_so(literal: str, text: str) -> None:
    expression = "(?i)" + re.escape(literal) + "[A-b]?"
    expected = re.fullmatch(expression, text, re.ASCII) is not None
    assert Pattern.read(expression).matches(text) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"(.*?)(?:$)", "CN=a, O=b", True),
        (r"CN=(.*?)(?:$|,.*)", "CN=worker-7, O=acme", True),
        (r".*CN=worker-\d+(,.*)?", "CN=worker-, O=acme", False),
        (r"CN=a", "CN=ab", False),
    ],
)
def test_patterns_of_keycloak_installations_are_read(pattern: str, text: str, expected: bool) -> None:
    assert Pattern.read(pattern).matches(text) is expected


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*a){12}b", "((a*)*)*b", "(a?){40}a{40}b"])
def test_a_pattern_that_makes_other_engines_run_for_hours_is_decided_at_once(pattern: str) -> None:
    begun = time.process_time()
    assert not Pattern.read(pattern).matches("a" * 300)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "(", ")", "a)", "(a", "[", "[a", "*", "a**", "a*+", "a{3,2}", "[b-a]", "\\", "\0["),
        *(r"\1", r"(a)\1", "(?=a)", "(?<!a)", "(?>a)"),
        *("a{1001}", "(a{64}){64}", r"\pL{900}", "a" * 513, "\ud800"),
    ],
)
def test_what_is_no_pattern_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidNameError):
        Pattern.read(pattern)
