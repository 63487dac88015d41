"""Judgement of the audit log's chain: what was read goes in, findings come out. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from keyturn.doctor.diagnoses import backends
from keyturn.doctor.findings import Finding
from keyturn.doctor.times import span
from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError, UnknownKeyError
from keyturn_credentials.operations.audit_chain_loop import LAG_SECONDS

WAITING_SECONDS: Final = LAG_SECONDS
"""Wait of an entry from which it is reported, as by ``/health/ready``."""
_SHOWN: Final = 5


def judge_broken(error: ChainBrokenError) -> Finding:
    """Return the finding for a chain that is not what was signed."""
    is_foreign = isinstance(error, UnknownKeyError)
    return Finding(backends.AUDIT_KEY_UNKNOWN if is_foreign else backends.AUDIT_CHAIN_BROKEN, error.detail)


def judge_waiting(occurred_at: Any, began_at: float | None, now: float) -> Iterator[Finding]:
    """Yield a finding if the first entry that is not part of the chain has waited for too long.

    ``occurred_at``: of that entry, whatever its column has. ``began_at``: when the chain began, None if it
    has not; entries from before wait only since then. NumericDate seconds.
    """
    since = occurred_at if isinstance(occurred_at, float | int) else 0.0
    waited = now - max(since, began_at or 0.0)
    if waited > WAITING_SECONDS:
        begun = "" if began_at is not None else ", and the chain has not begun"
        yield Finding(backends.AUDIT_UNCHAINED, f"an entry has waited for {span(waited)}{begun}")


def judge_standings(wrong: Mapping[int, int], among: int) -> Iterator[Finding]:
    """Yield a finding if entries have a wrong standing. ``wrong``: it by their ids; ``among``: the number of
    newest entries that were looked at."""
    if wrong:
        shown = [f"entry {entry} ({Standing(of_it).name.lower()})" for entry, of_it in wrong.items()]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        found = f"{', '.join(shown[:_SHOWN])}{more}, of the newest {among:,}"
        yield Finding(backends.AUDIT_ENTRY_SUSPECT, found)
