"""A request has exactly one method of client authentication; names and secrets have any characters."""

import base64
import itertools
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate, read_client_certificate
from keyturn_shared.oauth.client_authentication.credentials import (
    ASSERTION_TYPE,
    PresentedCertificate,
    PresentedSecret,
    read_credentials,
)
from keyturn_shared.oauth.errors import InvalidRequestError, MissingCredentialsError
from keyturn_shared.oauth.web.form import read_form
from tests.testkit.certificates import issue

KEY = SigningKey.generate()
ASSERTION = KEY.sign_compact(KEY.header_segment(), {"iss": "a", "sub": "a"})
CERTIFICATE = read_client_certificate(issue(None).der)

HEADERS = {
    "basic": "Basic " + base64.b64encode(b"a:b").decode(),
    "bearer": "Bearer token",
    "dpop": "DPoP token",
    "other": "Negotiate token",
}
FORMS = {
    "post": {"client_id": "a", "client_secret": "b"},
    "assertion": {"client_assertion": ASSERTION, "client_assertion_type": ASSERTION_TYPE},
    "broken assertion": {"client_assertion": "x"},
}
COMBINATIONS: list[tuple[str | None, list[str]]] = [
    *((header, [form]) for header, form in itertools.product(HEADERS, FORMS)),
    *(
        (None, [*pair])
        for pair in itertools.combinations(FORMS, 2)
        if pair != ("assertion", "broken assertion")
    ),
    *((header, ["post", "assertion"]) for header in HEADERS),
]


@pytest.mark.parametrize("certificate", [None, CERTIFICATE], ids=["no certificate", "certificate"])
@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
def test_two_credentials_in_one_request_are_refused_before_any_is_looked_at(
    combination: tuple[str | None, list[str]], certificate: ClientCertificate | None
) -> None:
    header, forms = combination
    parameters = {name: value for form in forms for name, value in FORMS[form].items()}
    with pytest.raises(InvalidRequestError, match="more than one method"):
        read_credentials(
            None if header is None else HEADERS[header],
            parameters,
            lambda: certificate,
        )


@pytest.mark.parametrize("method", ["basic", "post", "assertion"])
def test_a_certificate_beside_another_method_is_not_looked_at(method: str) -> None:
    def looked() -> None:
        pytest.fail("the certificate was looked at")

    presented = read_credentials(HEADERS.get(method), FORMS.get(method, {}), looked)
    assert presented.client_id == "a"


def test_a_certificate_and_a_client_id_are_a_method_and_neither_alone_is() -> None:
    presented = read_credentials(None, {"client_id": "a"}, lambda: CERTIFICATE)
    assert isinstance(presented, PresentedCertificate)
    assert (presented.client_id, presented.method) == ("a", "tls_client_auth")
    with pytest.raises(MissingCredentialsError):
        read_credentials(None, {"client_id": "a"}, lambda: None)
    with pytest.raises(MissingCredentialsError):
        read_credentials(None, {}, lambda: CERTIFICATE)


# A surrogate is no character, and NUL ends strings elsewhere: neither can stand in a client id.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(
    client_id=TEXTS,
    secret=TEXTS,
    spaces=st.booleans(),
    safe=st.sampled_from(["", "!*'()~", "-._~!$&'()*,;=@/?"]),
)
def test_whatever_is_form_encoded_for_basic_comes_out_again(
    client_id: str, secret: str, spaces: bool, safe: str
) -> None:
    """RFC 6749 2.3.1 and appendix B: each is encoded, then joined by a colon. Encoders differ in what they
    leave unencoded, and in how they write a space."""
    encode = quote_plus if spaces else quote
    pair = f"{encode(client_id, safe=safe)}:{encode(secret, safe=safe)}"
    presented = read_credentials("Basic " + base64.b64encode(pair.encode()).decode(), {})
    assert isinstance(presented, PresentedSecret)
    assert (presented.client_id, presented.secret.reveal()) == (client_id, secret)


@given(
    client_id=st.text(st.characters(codec="utf-8", exclude_characters="%+:"), min_size=1, max_size=20),
    secret=st.text(st.characters(codec="utf-8", exclude_characters="%+"), max_size=20),
)
def test_clients_that_do_not_encode_are_understood_where_it_makes_no_difference(
    client_id: str, secret: str
) -> None:
    presented = read_credentials("Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode(), {})
    assert isinstance(presented, PresentedSecret)
    assert (presented.client_id, presented.secret.reveal()) == (client_id, secret)


@given(client_id=TEXTS, secret=TEXTS)
def test_whatever_is_posted_comes_out_again(client_id: str, secret: str) -> None:
    body = urlencode({"client_id": client_id, "client_secret": secret}).encode()
    presented = read_credentials(None, read_form(body))
    assert isinstance(presented, PresentedSecret)
    assert (presented.client_id, presented.secret.reveal()) == (client_id, secret)
