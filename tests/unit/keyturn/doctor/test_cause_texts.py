"""Causes in the words of the doctor."""

from typing import Any

import pytest

from keyturn.doctor.cause_texts import at_most, findings_of
from keyturn.doctor.findings import Finding
from keyturn_credentials.domain import notice_kinds
from keyturn_credentials.domain.notice_causes import Cause
from keyturn_credentials.domain.realm import Realm

_DAY = 86_400.0
_NOW = 1_000 * _DAY
_OF_CLIENT: dict[str, Any] = {"subject": "client:uuid", "client_uuid": "uuid", "client_id": "orders"}


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (
            Cause(kind=notice_kinds.SECRET_ENDING, ends_at=_NOW + 5 * _DAY, **_OF_CLIENT),
            "realm acme, client orders: ends in 5 days",
        ),
        (
            Cause(kind=notice_kinds.CERTIFICATE_ENDED, ends_at=_NOW - 5 * _DAY, **_OF_CLIENT),
            "realm acme, client orders: ended 5 days ago",
        ),
        (
            Cause(
                kind=notice_kinds.REALM_KEY_OVERDUE,
                subject="key:kid",
                kid="kid",
                ends_at=_NOW - 5 * _DAY,
                detail="ES256 key kid",
            ),
            "realm acme, ES256 key kid: should have been replaced 5 days ago",
        ),
        (
            Cause(kind=notice_kinds.SECRET_UNREADABLE, detail="it cannot be decrypted", **_OF_CLIENT),
            "realm acme, client orders: it cannot be decrypted",
        ),
        (
            Cause(kind=notice_kinds.ROTATION_ALERT, detail="rotation 1 waits", **_OF_CLIENT),
            "realm acme, client orders: rotation 1 waits",
        ),
    ],
)
def test_a_cause_is_told_with_times_as_seen_from_now(cause: Cause, told: str) -> None:
    (finding,) = findings_of(Realm("id", "acme"), [cause], _NOW)
    assert (finding.code, finding.found) == (cause.kind.code, told)


def test_a_long_list_ends_with_how_many_more_there_are() -> None:
    findings = [Finding(notice_kinds.SECRET_ENDED, str(number)) for number in range(5)]
    assert [each.found for each in at_most(findings, 2)] == ["0", "1", "and 3 more"]
    assert list(at_most(findings, 5)) == findings
