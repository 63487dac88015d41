"""Requests that test a secret; the integration tests have the refused ones."""

import pytest

from keyturn_credentials.domain.evaluation_request import EvaluationRequest, read_request
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.nodes import good_claims
from tests.testkit.secret_signing import sign_with_secret

KEY = SigningKey.generate()
CLAIMS = good_claims("orders", "https://id.example")


@pytest.mark.parametrize(
    ("members", "tests_secret"),
    [
        ({}, False),
        ({"client_secret": "a secret"}, True),
        ({"client_assertion": KEY.sign_compact(KEY.header_segment(), CLAIMS)}, False),
        *(
            ({"client_assertion": sign_with_secret("a secret", alg, CLAIMS)}, True)
            for alg in ("HS256", "HS384", "HS512")
        ),
        ({"client_assertion": "not a token"}, False),
        ({"access_token": "a.b.c"}, False),
    ],
)
def test_a_secret_is_tested_by_itself_or_by_what_it_signed(
    members: dict[str, str], tests_secret: bool
) -> None:
    assert read_request(members).tests_secret is tests_secret


def test_targets_are_those_of_both_parameters() -> None:
    read = read_request({"resource": "https://a", "audience": ["b", "c"], "scope": None})
    assert (read.targets, read.scope) == (("https://a", "b", "c"), None)


def test_a_request_does_not_print_what_was_pasted() -> None:
    request = read_request({"client_secret": "a secret"})
    assert isinstance(request, EvaluationRequest)
    assert "a secret" not in repr(request)
