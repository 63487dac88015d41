"""Steps of an evaluation: each check once, in order, and a text for every refusal."""

import re
from pathlib import Path

import pytest

from keyturn_credentials.domain import evaluation_checks as checks
from keyturn_credentials.domain.evaluation import (
    NOT_REACHED,
    Check,
    Evaluation,
    Result,
    Step,
    Steps,
    TokenPreview,
    describe,
)
from keyturn_credentials.domain.evaluation_texts import TEXTS
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import ExpiredError, MissingClaimError
from keyturn_shared.oauth.errors import WrongAudienceError, WrongSecretError

PAGE = (Path(__file__).parents[4] / "docs" / "refusals.md").read_text()
ON_THE_PAGE = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
SEQUENCES = (
    checks.WITHOUT_CREDENTIAL,
    checks.BY_SECRET,
    *(checks.checks_of_assertion(each) for each in CLIENT_AUTHENTICATORS),
    (*checks.GRANT, checks.TOKEN),
    checks.VERIFICATION,
)


def test_every_code_of_a_check_has_a_text_and_is_on_the_page_of_refusals() -> None:
    codes = {code for sequence in SEQUENCES for check in sequence for code in check.codes}
    assert codes <= TEXTS.keys()
    assert TEXTS.keys() <= ON_THE_PAGE


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda sequence: sequence[-1].name)
def test_no_check_is_twice_in_a_sequence(sequence: tuple[Check, ...]) -> None:
    names = [check.name for check in sequence]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (ExpiredError("expired 3 s ago"), "expiry"),
        (MissingClaimError("exp"), "expiry"),
        (MissingClaimError("aud"), "audience"),
        (MissingClaimError("jti"), "single_use"),
        (WrongAudienceError("2 audiences"), "audience"),
        (KeyturnError("of another kind"), "single_use"),
    ],
    ids=repr,
)
def test_checks_before_the_failed_one_passed_and_later_ones_are_skipped(
    error: KeyturnError, failed: str
) -> None:
    steps = Steps(())
    sequence = checks.checks_of_assertion("client-jwt")
    steps.refused(sequence, error, {"realm": "a note"}, {failed: "Expected: that."})
    results = [step.result for step in steps.steps]
    at = [step.check for step in steps.steps].index(failed)
    assert results[:at] == [Result.PASSED] * at
    assert results[at] is Result.FAILED
    assert {step.detail for step in steps.steps[at + 1 :]} <= {NOT_REACHED}
    assert steps.steps[0].detail == "a note"
    assert steps.steps[at].code == error.code
    assert steps.steps[at].detail.endswith(f"Reported: {error.detail}. Expected: that.")
    assert steps.steps[at].advice


def test_a_detail_that_says_nothing_new_is_left_out() -> None:
    steps = Steps({"orders"})
    steps.refused((checks.SECRET,), WrongSecretError("orders"), {}, {})
    steps.refused((checks.SECRET,), WrongSecretError(), {}, {})
    assert {step.detail for step in steps.steps} == {TEXTS["wrong_secret"].meaning}


def test_an_evaluation_is_accepted_if_no_check_failed() -> None:
    passed, failed, skipped = (Step("realm", result, "text") for result in Result)
    token = TokenPreview({"alg": "ES256"}, {"iss": "me"})
    accepted = Evaluation([passed, skipped], token)
    assert describe(accepted) == {
        "accepted": True,
        "steps": [
            {"check": "realm", "result": result, "detail": "text", "advice": None, "code": None}
            for result in ("passed", "skipped")
        ],
        "token": {"header": {"alg": "ES256"}, "claims": {"iss": "me"}},
    }
    assert describe(Evaluation([passed, failed]))["accepted"] is False
    assert describe(Evaluation([passed]))["token"] is None
