"""The health of a JWKS URL as text and as JSON."""

import json
from dataclasses import asdict

from keyturn.terminal_text import printable
from keyturn_shared.key_sets.inspection import KeySetHealth

_UNKNOWN = """  not known: no client needed it lately, or its realm allows networks (--realm),
  or no fetcher has signed what is stored of it"""
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def as_json(health: KeySetHealth | None, url: str, now: float) -> str:
    """Format as JSON, with ``null`` members for what never happened; ``age`` in seconds."""
    if health is None:
        return json.dumps({"url": url, "known": False})
    return json.dumps({**asdict(health), "known": True, "age": health.age(now)}, indent=2)


def as_text(health: KeySetHealth | None, url: str, now: float) -> str:
    if health is None:
        return f"{url}\n{_UNKNOWN}"
    skipped = f", {health.skipped} skipped" if health.skipped else ""
    lines = [
        ("state", _state(health)),
        ("keys", f"{len(health.keys)}{skipped}"),
        *(("", f"{key.kid}  {key.kty} {key.alg or 'any alg'}  {key.thumbprint}") for key in health.keys),
        *(
            ("", f"skipped: key {each.index}{_named(each.kid)}: {each.reason}")
            for each in health.skipped_keys
        ),
        ("last success", _ago(health.last_success, now)),
        ("last change", _ago(health.last_change, now)),
        ("last attempt", f"{_ago(health.last_attempt, now)}, {health.attempts} in all"),
        ("fresh for", _within(health.fresh_until, now)),
        ("usable for", _within(health.stale_until, now)),
        ("next poll", _within(health.next_poll, now) if health.polled else "none: not used lately"),
    ]
    if health.failures:
        lines.append(("failures", f"{health.failures} in a row: {health.failure}: {health.failure_detail}"))
    shown = [health.url, *(f"  {name:<13} {value}" for name, value in lines)]
    return "\n".join(map(printable, shown))


def _named(kid: str | None) -> str:
    """Format a kid."""
    return "" if kid is None else f" ({kid!r})"


def _state(health: KeySetHealth) -> str:
    if health.failures:
        return "failing"
    return "good" if health.last_success else "not fetched yet"


def _ago(at: float | None, now: float) -> str:
    return "never" if at is None else f"{_span(now - at)} ago"


def _within(at: float | None, now: float) -> str:
    if at is None:
        return "-"
    return f"{_span(at - now)}" if at > now else f"no more, since {_span(now - at)}"


def _span(seconds: float) -> str:
    left = max(0, round(seconds))
    parts: list[str] = []
    for unit, size in _UNITS:
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2])
