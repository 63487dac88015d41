"""Findings from the causes that notices have too, in the words of the doctor. Pure."""

from collections.abc import Collection, Iterable, Iterator

from keyturn.doctor.findings import Finding
from keyturn.doctor.times import ago, span
from keyturn_credentials.domain import notice_kinds
from keyturn_credentials.domain.notice_causes import Cause
from keyturn_credentials.domain.realm import Realm


def findings_of(realm: Realm, causes: Iterable[Cause], now: float) -> Iterator[Finding]:
    """Yield a finding for each cause. ``now``: NumericDate seconds."""
    for cause in causes:
        yield Finding(cause.kind, f"realm {realm.name}, {_what(cause)}: {_state(cause, now)}")


def at_most(findings: Collection[Finding], most: int) -> Iterator[Finding]:
    """Yield at most so many findings of each kind; the last one says how many more there are."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    for of_code in by_code.values():
        yield from of_code[:most]
        if len(of_code) > most:
            yield Finding(of_code[0].diagnosis, f"and {len(of_code) - most} more")


def _what(cause: Cause) -> str:
    if cause.kid is not None:
        return cause.detail
    return f"client {cause.client_id or cause.client_uuid}"


def _state(cause: Cause, now: float) -> str:
    if cause.kind is notice_kinds.ROTATION_ALERT or cause.ends_at is None:
        return cause.detail
    left = cause.ends_at - now
    if cause.kind is notice_kinds.REALM_KEY_OVERDUE:
        return f"should have been replaced {ago(-left)}"
    return f"ended {ago(-left)}" if left <= 0 else f"ends in {span(left)}"
