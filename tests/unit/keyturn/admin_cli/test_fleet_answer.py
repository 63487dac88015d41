"""The fleet's answer to a change, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn_credentials.web.gate import fleet_header
from keyturn_shared.fleet.registry import FleetSummary


@pytest.mark.parametrize(
    ("header", "safe", "sentence"),
    [
        ("nodes=3, applied=3, fenced=0, pending=0", True, "Safe now: 3 of 3 nodes applied it"),
        ("nodes=1, applied=1, fenced=0, pending=0", True, "Safe now: 1 of 1 node applied it"),
        ("nodes=0, applied=0, fenced=0, pending=0", True, "Safe now: no nodes are running"),
        (
            "nodes=3, applied=2, fenced=1, pending=0",
            True,
            "Safe now: 2 of 3 nodes applied it, 1 cannot answer any request before",
        ),
        (
            "nodes=3, applied=1, fenced=0, pending=2",
            False,
            "Not confirmed yet: 1 of 3 nodes applied it, 2 pending; keyturn fleet shows them",
        ),
        (
            "unknown",
            False,
            "The change is made, but nobody knows which nodes applied it: Redis does not respond",
        ),
    ],
)
def test_the_answer_is_a_sentence(header: str, safe: bool, sentence: str) -> None:
    answer = FleetAnswer.parse(header)
    assert (answer.is_safe, answer.sentence()) == (safe, sentence)


@given(st.text())
def test_whatever_is_not_an_answer_is_not_safe(header: str) -> None:
    assert not FleetAnswer.parse(header).is_safe


def test_the_servers_header_is_understood() -> None:
    summary = FleetSummary(applied=2, fenced=1, pending=())
    assert FleetAnswer.parse(fleet_header(summary)) == FleetAnswer(True, 3, 2, 1, 0)
