"""Findings about the audit log's chain follow from what was read."""

import pytest

from keyturn.doctor.audit_judgement import WAITING_SECONDS, judge_broken, judge_standings, judge_waiting
from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError, UnknownKeyError

_NOW = 1_000_000.0
_LATE = _NOW - WAITING_SECONDS - 1


@pytest.mark.parametrize(
    ("occurred_at", "began_at", "is_found"),
    [
        (_LATE, 0.0, True),
        (_LATE, None, True),
        (_NOW - WAITING_SECONDS, 0.0, False),
        (_LATE, _NOW - 1, False),
        ("no number", _LATE, True),
        ("no number", _NOW - 1, False),
        (_NOW + 60, 0.0, False),
    ],
)
def test_an_entry_that_waits_too_long_is_found(
    occurred_at: object, began_at: float | None, is_found: bool
) -> None:
    found = [finding.code for finding in judge_waiting(occurred_at, began_at, _NOW)]
    assert found == (["audit_unchained"] if is_found else [])


def test_suspect_entries_are_one_finding_that_names_some() -> None:
    wrong = {number: int(Standing.ALTERED) for number in range(90, 80, -1)} | {80: int(Standing.LATE)}
    (finding,) = judge_standings(wrong, 10_000)
    assert finding.code == "audit_entry_suspect"
    assert finding.found.startswith("entry 90 (altered), entry 89 (altered)")
    assert finding.found.endswith("entry 86 (altered) and 6 more, of the newest 10,000")


def test_a_log_without_suspect_entries_has_no_finding() -> None:
    assert list(judge_standings({}, 10_000)) == []


def test_a_key_that_is_not_configured_is_told_from_a_forgery() -> None:
    assert judge_broken(ChainBrokenError("changed")).code == "audit_chain_broken"
    assert judge_broken(UnknownKeyError("another key")).code == "audit_key_unknown"
