"""Forms, parsed as RFC 6749 section 3.2 requires."""

import contextlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.oauth.errors import InvalidRequestError
from keyturn_shared.oauth.web.form import read_form, require_form_type


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=20), max_size=8))
def test_what_a_client_encodes_is_what_is_read(parameters: dict[str, str]) -> None:
    targets = [parameters.pop(name) for name in ("resource", "audience") if name in parameters]
    encoded = urlencode([*parameters.items(), *(("resource", target) for target in targets)])
    form = read_form(encoded.encode())
    assert (dict(form), form.targets) == (parameters, targets)


@pytest.mark.parametrize("body", [b"a=1&a=1", b"a=1&%61=2", b"scope=x&b=2&scope=y"])
def test_a_parameter_may_occur_once(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        read_form(body)


def test_a_parameter_without_a_value_is_treated_as_omitted() -> None:
    assert dict(read_form(b"a=&b&c=1&a=2")) == {"c": "1", "a": "2"}


def test_several_targets_may_be_named() -> None:
    assert read_form(b"resource=https%3A%2F%2Fa&resource=b&audience=c").targets == ["https://a", "b", "c"]


@pytest.mark.parametrize("body", [b"a=%ff", b"\xc3=1", b"&".join(b"p%d=1" % n for n in range(65))])
def test_what_is_no_form_in_utf_8_or_has_no_end_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        read_form(body)


@given(st.binary(max_size=200))
def test_any_octets_are_a_form_or_an_invalid_request(body: bytes) -> None:
    with contextlib.suppress(InvalidRequestError):
        read_form(body)


@pytest.mark.parametrize("content_type", [None, "", "application/json", "application/x-www-form-urlencodedX"])
def test_another_type_than_a_form_is_refused(content_type: str | None) -> None:
    with pytest.raises(InvalidRequestError):
        require_form_type(content_type)


def test_parameters_of_the_type_do_not_matter() -> None:
    require_form_type("Application/X-WWW-Form-Urlencoded; charset=UTF-8")
