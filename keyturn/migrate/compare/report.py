"""Report of a comparison: what was compared, when and with which result, without any secret. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyturn.migrate.compare.comparison import FINE, Compared, Verdict
from keyturn.migrate.compare.differences import Difference
from keyturn.migrate.compare.expectations import expected_lines
from keyturn.migrate.compare.redaction import Redaction


@dataclass(frozen=True, slots=True)
class SideFacts:
    """Facts about one side, for the report."""

    url: str
    issuer: str
    kids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Facts about a comparison that are the same for every client. Times are texts in UTC. ``keys``: names of
    the operator's files and the SHA-256 of their public parts."""

    version: str
    started_at: str
    ended_at: str
    source: Mapping[str, Any]
    realms: tuple[str, str]
    keycloak: SideFacts
    keyturn: SideFacts
    keys: Mapping[str, str]
    introspector: str | None


def describe(inputs: Inputs, compared: Sequence[Compared], redact: Redaction) -> dict[str, Any]:
    """Describe a comparison as JSON."""
    verdicts = Counter(each.verdict for each in compared)
    return {
        "report": "keyturn migrate compare",
        "version": inputs.version,
        "startedAt": inputs.started_at,
        "endedAt": inputs.ended_at,
        "input": dict(inputs.source),
        "keys": dict(inputs.keys),
        "keycloak": _side(inputs.realms[0], inputs.keycloak, redact),
        "keyturn": _side(inputs.realms[1], inputs.keyturn, redact),
        "introspector": inputs.introspector,
        "counts": {
            "clients": len(compared),
            **{verdict.value: verdicts[verdict] for verdict in Verdict},
            "tokensOfBoth": sum(each.granted for each in compared),
            "introspectionsOfBoth": sum(each.introspected for each in compared),
        },
        "differences": _grouped(compared, redact),
        "expected": dict(expected_lines()),
        "clients": [
            {
                "clientId": each.client_id,
                "verdict": each.verdict.value,
                **({} if each.reason is None else {"reason": redact(each.reason)}),
                "differences": [_difference(one, redact) for one in each.differences if one.reason is None],
            }
            for each in compared
        ],
    }


def is_fine(compared: Sequence[Compared]) -> bool:
    """Return whether no client differs without a reason, none failed, and not all were left out."""
    is_any_compared = any(each.verdict is not Verdict.NOT_COMPARED for each in compared)
    return all(each.verdict in FINE for each in compared) and (is_any_compared or not compared)


def _side(realm: str, facts: SideFacts, redact: Redaction) -> dict[str, Any]:
    kids = [redact(kid) for kid in facts.kids]
    return {"url": facts.url, "realm": realm, "issuer": redact(facts.issuer), "keys": kids}


def _grouped(compared: Sequence[Compared], redact: Redaction) -> list[dict[str, Any]]:
    """Return each kind of difference once, with the number of its clients and one example: the unexplained
    first, then those of most clients."""
    counts: Counter[tuple[str, str, str | None]] = Counter()
    examples: dict[tuple[str, str, str | None], tuple[str, Difference]] = {}
    for client in compared:
        kinds = {(each.where, each.name, each.reason): each for each in client.differences}
        counts.update(kinds.keys())
        for kind, each in kinds.items():
            examples.setdefault(kind, (client.client_id, each))
    ordered = sorted(counts, key=lambda kind: (kind[2] is not None, -counts[kind], kind[0], kind[1]))
    return [
        {
            **_difference(examples[kind][1], redact),
            "class": "unexplained" if kind[2] is None else "expected",
            "reason": kind[2],
            "clients": counts[kind],
            "example": examples[kind][0],
        }
        for kind in ordered
    ]


def _difference(each: Difference, redact: Redaction) -> dict[str, Any]:
    return {
        "where": each.where,
        "name": redact(each.name),
        "keycloak": None if each.keycloak is None else redact(each.keycloak),
        "keyturn": None if each.keyturn is None else redact(each.keyturn),
    }
