"""A node's response accepts, refuses, or decides nothing."""

import json

import pytest

from keyturn.probe.judgement import Answer, Place
from keyturn.probe.node_requests import Presented, Told, read
from keyturn_shared.secret import Secret


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("place", "status", "body", "answer"),
    [
        (Place.TOKEN, 200, {"access_token": "a.b.c"}, Answer.ACCEPTED),
        (Place.TOKEN, 401, {"error": "invalid_client"}, Answer.REFUSED),
        (Place.INTROSPECTION, 200, {"active": True}, Answer.ACCEPTED),
        (Place.INTROSPECTION, 200, {"active": False}, Answer.REFUSED),
        (Place.VERIFY, 200, {"results": [{"active": True}]}, Answer.ACCEPTED),
        (Place.VERIFY, 200, {"results": [{"active": False}]}, Answer.REFUSED),
        (Place.FORWARD_AUTH, 204, None, Answer.ACCEPTED),
        (Place.FORWARD_AUTH, 401, {"error": "invalid_token"}, Answer.REFUSED),
        (Place.FORWARD_AUTH, 403, None, Answer.REFUSED),
    ],
)
def test_a_decision_is_read(place: Place, status: int, body: object, answer: Answer) -> None:
    assert read(place, status, _json(body)).answer is answer


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("status", [200, 204, 302, 429, 500, 503])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'"text"', b"{}", b'{"active": 1, "results": []}', b"[" * 100_000]
)
def test_anything_else_decides_nothing(place: Place, status: int, body: bytes) -> None:
    if (place, status) == (Place.FORWARD_AUTH, 204):
        return  # it has no body
    told = read(place, status, body)
    assert (told.answer, told.token) == (Answer.UNDECIDED, None)
    assert str(status) in told.detail


def test_the_error_code_of_a_refusal_is_told() -> None:
    told = read(Place.TOKEN, 401, _json({"error": "invalid_client", "error_description": "more"}))
    assert told.detail == "401 invalid_client"


@pytest.mark.parametrize("error", ["kT3-secret_of-the-canary", "Bearer a.b.c", "", "a" + "_a" * 9, 1, None])
def test_a_node_that_quotes_the_request_is_not_quoted(error: object) -> None:
    assert read(Place.TOKEN, 401, _json({"error": error})).detail == "401"


def test_neither_secret_nor_token_is_shown() -> None:
    shown = repr(Presented("canary", Secret("hidden"), "a.b.c")) + repr(Told(Answer.ACCEPTED, token="a.b.c"))
    assert "hidden" not in shown
    assert "a.b.c" not in shown
