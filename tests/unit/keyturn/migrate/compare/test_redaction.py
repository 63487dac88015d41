"""No secret and no token is left in what a server wrote, in whatever form it wrote it."""

import base64
import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from keyturn.migrate.compare.redaction import Redaction, secrets_in

SECRET = 'p@ss/wörd+of "orders" & more'
DOCUMENT = {
    "clients": [
        {"clientId": "a/b", "secret": SECRET, "attributes": {"client.secret.rotated": "the-former-one"}},
        {"clientId": "c", "secret": None},
    ]
}
BASIC = base64.b64encode(f"a%2Fb:{quote(SECRET, safe='')}".encode()).decode()
REDACT = Redaction(secrets_in(DOCUMENT))


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        "the-former-one",
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        escape(SECRET),
        BASIC,
    ],
)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    assert REDACT(f"sent {form}, and {form}!") == "sent **********, and **********!"
    assert form not in REDACT({"in": form})


@pytest.mark.parametrize("before", range(170, 205, 5))
def test_no_part_of_a_secret_is_left_where_the_text_is_cut(before: int) -> None:
    shown = REDACT("x" * before + "the-former-one" + "y" * 300)
    assert "the-" not in shown
    assert len(shown) <= 211


@pytest.mark.parametrize(
    ("token", "after"),
    [
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "&hint=x"),
        ("eyJhbGciOi", "&hint=x"),
        ("eyJ" + "a" * 500, "…"),
    ],
)
def test_a_token_is_hidden(token: str, after: str) -> None:
    assert REDACT(f"token={token}&hint=x") == f"token=**********{after}"


def test_overlapping_secrets_are_hidden_together() -> None:
    assert Redaction(["abcdef", "defghi"])("1abcdefghi2") == "1**********2"


def test_a_short_secret_hides_no_words() -> None:
    assert Redaction(["a", ""])("a banana") == "a banana"


def test_long_values_are_cut() -> None:
    assert len(Redaction([])("x" * 1000)) == 201
    assert Redaction([])("x" * 200) == "x" * 200


def test_many_secrets_cost_no_search_for_each() -> None:
    redact = Redaction(f"secret-of-client-{number:06}" for number in range(20_000))
    assert [redact("nothing to hide") for _ in range(1000)][-1] == "nothing to hide"
