"""Judgement of answers at the public URL."""

from collections.abc import Iterable

import pytest

from keyturn.doctor.findings import Finding
from keyturn.doctor.gateway_judgement import (
    Answer,
    judge_admin,
    judge_certificate,
    judge_discovery,
    judge_forged_address,
    judge_forged_certificate,
    judge_health,
    judge_key_set,
    judge_rotation,
    judge_token_endpoint,
)

_DAY = 86_400.0
ISSUER = "https://id.example/realms/acme"
NO_GRANT = Answer(400, {"error": "invalid_request"})
REFUSED = Answer(401, {"error": "invalid_client"})
NOT_FOUND = Answer(404, {"error": "Not Found"})
VERIFY = Answer(400, {"error": "invalid_request"})
OF_CREDENTIALS = Answer(404, {"error": "Not Found", "code": "not_found"})


def has_finding(findings: Iterable[Finding]) -> bool:
    return bool(list(findings))


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Answer(200, {"issuer": ISSUER}), False),
        (Answer(200, {"issuer": "http://id.example/realms/acme"}), True),
        (Answer(404, None), True),
        (Answer(200, ["issuer"]), True),
    ],
)
def test_discovery_names_the_configured_issuer(answer: Answer, wrong: bool) -> None:
    assert has_finding(judge_discovery(answer, ISSUER)) is wrong


@pytest.mark.parametrize(
    ("token", "verify", "wrong"),
    [
        (NO_GRANT, VERIFY, False),
        (NO_GRANT, Answer(403), False),
        (NO_GRANT, Answer(404, None), False),
        (NO_GRANT, OF_CREDENTIALS, True),
        (Answer(502), VERIFY, True),
        (Answer(200, "<html>"), VERIFY, True),
    ],
)
def test_a_verifier_answers_at_the_token_endpoint(token: Answer, verify: Answer, wrong: bool) -> None:
    assert has_finding(judge_token_endpoint(token, verify)) is wrong


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Answer(200, {"keys": [{"kid": "a"}, {"kid": "b"}]}), False),
        (Answer(200, {"keys": [{"kid": "b"}]}), True),
        (Answer(200, {"keys": "a"}), True),
        (Answer(503, {"keys": [{"kid": "a"}]}), True),
    ],
)
def test_the_key_set_has_the_keys_that_sign(answer: Answer, wrong: bool) -> None:
    assert has_finding(judge_key_set(answer, {"a"})) is wrong


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Answer(405, None, {"allow": "POST"}), False),
        (Answer(405), True),
        (NOT_FOUND, True),
        (Answer(502), True),
    ],
)
def test_the_credentials_service_answers_rotations(answer: Answer, wrong: bool) -> None:
    assert has_finding(judge_rotation(answer)) is wrong


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [(Answer(401, {"code": "missing_token"}), False), (Answer(401), True), (NOT_FOUND, True)],
)
def test_the_credentials_service_answers_administrators(answer: Answer, wrong: bool) -> None:
    assert has_finding(judge_admin(answer)) is wrong


@pytest.mark.parametrize(
    ("forged", "passes"),
    [(REFUSED, False), (NO_GRANT, True), (Answer(401, {"error": "other"}), True), (Answer(503), False)],
)
def test_a_forged_certificate_makes_no_difference(forged: Answer, passes: bool) -> None:
    assert has_finding(judge_forged_certificate(REFUSED, forged)) is passes


@pytest.mark.parametrize(("before", "after", "passes"), [(3, 3, False), (3, 4, True), (3, 0, False)])
def test_a_forged_address_is_not_counted(before: float, after: float, passes: bool) -> None:
    assert has_finding(judge_forged_address(before, after)) is passes


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (Answer(200, {"status": "ready"}), []),
        (NOT_FOUND, []),
        (Answer(503), []),
        (Answer(503, {"status": "not_ready", "reasons": {"database": "x"}}), ["credentials_not_ready"]),
        (Answer(200, {"status": "ready", "degraded": {"redis": "x"}}), ["credentials_degraded"]),
    ],
)
def test_the_credentials_service_says_how_it_is(answer: Answer, codes: list[str]) -> None:
    assert [each.code for each in judge_health(answer)] == codes


@pytest.mark.parametrize(("days", "soon"), [(-1, True), (13.9, True), (14.1, False)])
def test_a_certificate_ends_soon_within_fourteen_days(days: float, soon: bool) -> None:
    assert has_finding(judge_certificate(1_000_000 + days * _DAY, 1_000_000)) is soon
