"""Freshness lifetimes and polling times of key sets. Pure functions; all times in seconds."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from keyturn_verifier.key_sets.policy import KeySetPolicy

_HEURISTIC_SHARE: Final = 0.1
"""Share of the time since the keys last changed: the heuristic that RFC 9111 section 4.2.2 suggests."""


def freshness_lifetime(headers: Mapping[str, str], unchanged_for: float, policy: KeySetPolicy) -> float:
    """Return how long a response is fresh from its request (RFC 9111 section 4.2), within the policy's
    limits.

    ``headers``: names in lower case. If the server names no lifetime, keys that have not changed for long are
    polled less often.
    """
    explicit = _explicit_lifetime(headers)
    if explicit is None:
        explicit = max(policy.default_freshness, unchanged_for * _HEURISTIC_SHARE)
    else:
        explicit -= _delta_seconds(headers.get("age", "0"))
    return min(max(explicit, policy.min_freshness), policy.max_freshness)


def poll_after(freshness: float, random: float) -> float:
    """Return when to poll keys with this freshness: before they expire, spread at random."""
    return freshness * (0.75 + 0.2 * random)


def retry_after(failures: int, random: float, policy: KeySetPolicy) -> float:
    """Return when to retry, from the start of the failed attempt. Never earlier than the script allows."""
    backoff = policy.min_interval * 2.0 ** min(failures - 1, 30)
    return min(backoff, policy.max_backoff) * (1.0 + 0.25 * random)


def _explicit_lifetime(headers: Mapping[str, str]) -> float | None:
    directives = _directives(headers.get("cache-control", ""))
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    if "max-age" in directives:
        return _delta_seconds(directives["max-age"])
    if "expires" in headers:
        expires = _http_date(headers["expires"])
        date = _http_date(headers.get("date", ""))
        # An Expires that is not a date means "already expired" (RFC 9111 section 5.3).
        return expires - date if expires is not None and date is not None else 0.0
    return None


def _directives(value: str) -> dict[str, str]:
    """Parse Cache-Control, names in lower case. The first of repeated directives counts (section 4.2.1)."""
    directives: dict[str, str] = {}
    for part in value.split(","):
        name, _, argument = part.strip().partition("=")
        directives.setdefault(name.strip().lower(), argument.strip().strip('"'))
    return directives


def _delta_seconds(text: str) -> float:
    """Parse delta-seconds (RFC 9111 section 1.2.2). Anything else counts as stale (section 4.2.1)."""
    text = text.strip()
    return float(min(int(text), 2**31)) if text.isascii() and text.isdigit() and len(text) <= 20 else 0.0


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
