"""An answer is read as the node's statement, about its subject."""

import json
from math import inf

import pytest

from tests.storm.credentials import (
    ASKER,
    AccessToken,
    Credential,
    Proof,
    alive,
    at_introspection,
    at_token_endpoint,
    at_verify,
)
from tests.storm.history import Verdict
from tests.storm.recorder import is_complete
from tests.testkit.http_client import Answer

NEEDS = alive("orders") | {("secret", "orders", "#1")}
SECRET = Credential("secret #1 of orders", "orders", NEEDS, lambda: Proof({}, {}))
TOKEN = AccessToken(
    "token of orders", "orders", alive("orders") | {("token", "t")}, ("token", "t"), inf, "a.b.c"
)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.REFUSED),
        (401, Verdict.REFUSED),
        (404, Verdict.REFUSED),
        (408, Verdict.UNDECIDED),
        (429, Verdict.UNDECIDED),
        (502, Verdict.UNDECIDED),
        (503, Verdict.UNDECIDED),
    ],
)
def test_only_an_answer_about_the_credential_is_a_refusal(status: int, verdict: Verdict) -> None:
    assert at_token_endpoint(SECRET).read(Answer(status))[:2] == (verdict, NEEDS)


@pytest.mark.parametrize(("active", "verdict"), [(True, Verdict.GRANTED), (False, Verdict.REFUSED)])
def test_introspection_tells_of_the_token(active: bool, verdict: Verdict) -> None:
    answer = Answer(200, body=json.dumps({"active": active}).encode())
    assert at_introspection(TOKEN).read(answer) == (verdict, TOKEN.needs, None)


def test_who_may_not_ask_is_what_a_401_of_introspection_tells_of() -> None:
    verdict, needs, _ = at_introspection(TOKEN).read(Answer(401))
    assert verdict is Verdict.REFUSED
    assert needs == alive(ASKER) | {("secret", ASKER)}


def test_keys_that_are_not_to_be_had_are_no_refusal() -> None:
    results = [{"active": False, "error": "keys_unavailable"}]
    answer = Answer(200, body=json.dumps({"results": results}).encode())
    assert at_verify(TOKEN).read(answer)[0] is Verdict.UNDECIDED


def test_a_refusal_is_excused_when_the_proof_has_expired_or_a_gateway_may_have_used_it_up() -> None:
    shown = at_token_endpoint(SECRET, Proof({}, {}, single_use="jti", until=1_000))
    assert not shown.may_be_excused(900, by_gateway=False)
    assert shown.may_be_excused(999, by_gateway=False)
    assert shown.may_be_excused(900, by_gateway=True)
    assert not at_token_endpoint(SECRET).may_be_excused(900, by_gateway=True)


@pytest.mark.parametrize(
    ("said", "complete"),
    [
        ("nodes=2, applied=1, fenced=1, pending=0", True),
        ("nodes=2, applied=1, fenced=0, pending=1", False),
        ("nodes=12, applied=2, fenced=0, pending=10", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_a_change_is_complete_when_no_node_is_pending(said: str, complete: bool) -> None:
    assert is_complete(Answer(204, {"keyturn-fleet": said})) is complete
