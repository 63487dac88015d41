"""Webhooks about notices: what they say, and when they are sent again."""

import json

import pytest

from keyturn_credentials.domain import notice_kinds
from keyturn_credentials.domain.notice_causes import Cause
from keyturn_credentials.domain.notice_webhooks import PATIENCE_SECONDS, closing, next_attempt, opening
from keyturn_credentials.domain.notices import notice_of, updated
from keyturn_credentials.domain.realm import Realm

NOW = 1_800_000_000.0
REALM = Realm("realm-1", "acme")
CAUSE = Cause(
    kind=notice_kinds.SECRET_ENDING,
    subject="client:uuid",
    client_uuid="uuid",
    client_id="orders",
    ends_at=NOW + 86_400,
)


def test_the_content_says_what_it_is_and_what_to_do() -> None:
    notice = notice_of(REALM, CAUSE, NOW)
    made = opening(notice, "https://keyturn.example", NOW)
    event = json.loads(made.body)
    assert (event["type"], event["timestamp"]) == ("notice.opened", "2027-01-15T08:00:00Z")
    assert event["data"] == {
        "issuer": "https://keyturn.example/realms/acme",
        "id": notice.id,
        "code": "secret_ending",
        "severity": "warning",
        "realm": "acme",
        "client_uuid": "uuid",
        "client_id": "orders",
        "kid": None,
        "rotation_id": None,
        "since": NOW,
        "ends_at": NOW + 86_400,
        "text": notice_kinds.SECRET_ENDING.means,
        "advice": notice_kinds.SECRET_ENDING.advice,
        "detail": "",
    }
    closed = closing(notice, "https://keyturn.example", NOW + 5)
    assert json.loads(closed.body)["type"] == "notice.closed"
    assert closed.webhook_id != made.webhook_id


def test_an_update_keeps_id_and_beginning() -> None:
    notice = notice_of(REALM, CAUSE, NOW)
    after = updated(notice, Realm("realm-1", "renamed"), CAUSE)
    assert (after.id, after.since, after.realm) == (notice.id, NOW, "renamed")


def test_pauses_grow_to_two_hours_and_a_day_has_many_attempts() -> None:
    pauses = [next_attempt(attempts, 0.0, 1.0) for attempts in range(1, 14)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 7_200
    assert next_attempt(1, NOW, 0.0) == NOW + 2.5
    at, count = 0.0, 0
    while at < PATIENCE_SECONDS:
        count += 1
        at = next_attempt(count, at, 1.0)
    assert 20 <= count <= 30


@pytest.mark.parametrize(
    ("age", "is_too_old"), [(0, False), (86_399, False), (86_400, True), (-9_999, False)]
)
def test_after_a_day_it_is_given_up_whatever_a_clock_did(age: float, is_too_old: bool) -> None:
    made = opening(notice_of(REALM, CAUSE, NOW), "https://keyturn.example", NOW)
    assert made.is_too_old(NOW + age) is is_too_old
