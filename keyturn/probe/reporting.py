"""A round as a line of JSON, or as lines for a person. Neither ever has a secret or a token."""

from typing import Any

from keyturn.admin_cli.rendering import Output, time_text
from keyturn.probe.judgement import Check, Result, Round, Verdict


def report(out: Output, seen: Round, verdict: Verdict, now: float) -> None:
    """Print a round that ended ``now`` (NumericDate)."""
    if out.as_json:
        out.json(members(seen, verdict, now), indent=None)
        return
    for line in lines(seen, verdict, now):
        out.line(line)


def members(seen: Round, verdict: Verdict, now: float) -> dict[str, Any]:
    """Return the round for JSON."""
    return {
        "time": now,
        "result": verdict.result.value,
        "nodes": {
            "fleet": seen.fleet_nodes,
            "reached": list(verdict.reached),
            "unreached": list(verdict.unreached),
        },
        "checks": [_check(check) for check in seen.checks],
        "findings": [
            {
                "result": finding.result.value,
                "node": finding.node,
                "check": None if finding.check is None else finding.check.value,
                "detail": finding.detail,
            }
            for finding in verdict.findings
        ],
    }


def lines(seen: Round, verdict: Verdict, now: float) -> list[str]:
    """Return the round for a person: one line, and one for each finding that it is about."""
    asked = len(verdict.reached) + len(verdict.unreached)
    fleet = "an unknown number" if seen.fleet_nodes is None else str(seen.fleet_nodes)
    parts = [
        time_text(now),
        f"{verdict.result.value:<11}",
        f"{len(verdict.reached)} of {asked} nodes reached",
    ]
    if seen.fleet_nodes != len(verdict.reached):
        parts[-1] += f", the fleet has {fleet}"
    parts += [f"{check.name.value} {_milliseconds(check)}" for check in seen.checks if check.is_confirmed]
    found = sorted(verdict.findings, key=lambda finding: list(Result).index(finding.result))
    return ["  ".join(parts), *(f"  {_named(each.result, each.check)}: {each.detail}" for each in found)]


def _check(check: Check) -> dict[str, Any]:
    return {
        "check": check.name.value,
        "confirmed": check.is_confirmed,
        "fleet": None if check.fleet is None else check.fleet.members(),
        "call_ms": round(1000 * check.call_seconds, 1),
        "effect_ms": None if check.effect_seconds is None else round(1000 * check.effect_seconds, 1),
    }


def _milliseconds(check: Check) -> str:
    effect = "?" if check.effect_seconds is None else f"{1000 * check.effect_seconds:.0f}"
    return f"{1000 * check.call_seconds:.0f}/{effect} ms"


def _named(result: Result, check: object) -> str:
    return result.value if check is None else f"{result.value} ({check})"
