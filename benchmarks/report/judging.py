"""Judgement of new ratios by the committed ones.

Ratios are compared, never rates or times: a ratio is taken within a run, and hardly depends on how fast the
machine is on that day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.report.wording import NOTHING, number
from benchmarks.results import Results, is_rate


@dataclass(frozen=True)
class Guarded:
    """A ratio of keyturn to something else. ``tolerance``: the share by which it may be worse, above the
    noise between runs of an unchanged build."""

    benchmark: str
    name: str
    to: str
    tolerance: float
    of: str = "keyturn"


GUARDED: Final = (
    Guarded("verification", "introspect-seen", "uvicorn", 0.15),
    Guarded("verification", "introspect-seen", "oidc-provider", 0.20),
    Guarded("verification", "introspect-new", "uvicorn", 0.15),
    Guarded("verification", "forward-auth-seen", "uvicorn", 0.15),
    Guarded("verification", "forward-auth-new", "uvicorn", 0.15),
    Guarded("verification", "verify-new", "signature floor", 0.15),
    Guarded("token_endpoint", "private_key_jwt", "oidc-provider", 0.20),
    Guarded("token_endpoint", "private_key_jwt, processor time", "oidc-provider", 0.20),
    Guarded("token_endpoint", "client_secret_basic", "oidc-provider", 0.20),
    Guarded("token_endpoint", "client_secret_basic, processor time", "oidc-provider", 0.20),
    Guarded("library", "verify", "signature alone", 0.15, of="keyturn, seen before"),
    Guarded("library", "verify", "signature alone", 0.10, of="keyturn, never seen"),
    Guarded("jose_verify", "ES256", "raw verify", 0.05),
    Guarded("jose_verify", "EdDSA", "raw verify", 0.05),
    Guarded("jose_verify", "PS256", "raw verify", 0.08),
    Guarded("jose_verify", "RS256", "raw verify", 0.08),
    Guarded("jose_verify", "HS256", "raw verify", 0.10),
)
"""Compilers of Node.js favour some machines, so ratios to oidc-provider are looser."""


@dataclass(frozen=True)
class Verdict:
    """``change``: 0.1 is a tenth better, -0.1 a tenth worse; None if a ratio is missing, which fails too."""

    guarded: Guarded
    committed: float | None
    now: float | None
    change: float | None

    @property
    def failed(self) -> bool:
        return self.change is None or self.change < -self.guarded.tolerance


def judge(
    committed: Mapping[str, Results], now: Mapping[str, Results], guarded: Iterable[Guarded] = GUARDED
) -> list[Verdict]:
    """Compare every guarded ratio."""
    return [_judge_one(each, committed.get(each.benchmark), now.get(each.benchmark)) for each in guarded]


def _judge_one(guarded: Guarded, committed: Results | None, now: Results | None) -> Verdict:
    (rates, former), (_, present) = (_ratio(guarded, results) for results in (committed, now))
    change = None
    if former and present:
        change = (present / former if rates else former / present) - 1
    return Verdict(guarded, former, present, change)


def _ratio(guarded: Guarded, results: Results | None) -> tuple[bool, float | None]:
    """Return the ratio, with true if it is one of rates."""
    figure = results.of(guarded.name, guarded.of) if results else None
    ratio = figure.ratio_to(guarded.to) if figure else None
    return figure is not None and is_rate(figure.unit), ratio.value if ratio else None


def lines(verdicts: Iterable[Verdict]) -> list[str]:
    """Return a table of the verdicts as plain text."""
    header = f"{'ratio of keyturn':62} {'committed':>9} {'now':>9} {'change':>8} {'allowed':>8}"
    return [header, *map(_line, verdicts)]


def _line(verdict: Verdict) -> str:
    about = verdict.guarded
    subject = about.name if about.of == "keyturn" else about.of
    former, now = (NOTHING if each is None else number(each) for each in (verdict.committed, verdict.now))
    change = "missing" if verdict.change is None else f"{verdict.change:+.1%}"
    text = f"{f'{about.benchmark}: {subject} / {about.to}':62} {former:>9} {now:>9} {change:>8}"
    return f"{text} {-about.tolerance:>8.0%}{'  WORSE' if verdict.failed else ''}"
