"""Outcomes of a migration for people and for programs, from the report of an import. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

from keyturn.migrate.advice import advice_on, with_advice
from keyturn.terminal_text import printable
from keyturn_credentials.domain.export_reading import OWN_CLIENT
from keyturn_credentials.operations.import_report import Action, ImportedClient, ImportReport


class Outcome(StrEnum):
    """Fate of one client. OWN: Keycloak's own, which stays there."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    PRESENT = "present"
    OWN = "own"
    REFUSED = "refused"


_WORDS: Final = {
    Outcome.UNCHANGED: "as they are",
    Outcome.CHANGED: "with changes",
    Outcome.PRESENT: "already there",
    Outcome.REFUSED: "refused",
    Outcome.OWN: "Keycloak's own, which stay",
}


def outcome_of(client: ImportedClient) -> Outcome:
    if client.action is Action.REFUSED:
        return Outcome.OWN if client.notes == (OWN_CLIENT,) else Outcome.REFUSED
    if client.action is Action.SKIPPED:
        return Outcome.PRESENT
    return Outcome.CHANGED if client.notes else Outcome.UNCHANGED


def is_complete(reports: Sequence[ImportReport]) -> bool:
    """Return whether no client was refused, except for Keycloak's own."""
    return not any(outcome_of(client) is Outcome.REFUSED for report in reports for client in report.clients)


def describe(reports: Sequence[ImportReport], *, only_problems: bool) -> list[dict[str, Any]]:
    """Describe each realm with its clients, their outcomes, reasons and what to do."""
    return [_describe_realm(report, only_problems) for report in reports]


def lines(reports: Sequence[ImportReport], *, only_problems: bool) -> Iterator[str]:
    """Yield a summary of each realm, then its notes and clients, one a line with what to do below."""
    yield from map(printable, _lines(reports, only_problems=only_problems))


def _lines(reports: Sequence[ImportReport], *, only_problems: bool) -> Iterator[str]:
    yield from map(summary, reports)
    for report in reports:
        name = report.realm.name if report.realm is not None else ""
        if report.realm is not None and report.realm.notes:
            yield ""
            yield f"realm {name}"
            yield from _indented(report.realm.notes)
        shown = [client for client in report.clients if not only_problems or _is_problem(client)]
        if shown:
            yield ""
        for client in shown:
            outcome = outcome_of(client)
            yield f"{outcome:<10} {name}/{client.client_id}"
            if outcome is not Outcome.OWN:
                yield from _indented(client.notes)


def summary(report: ImportReport) -> str:
    """Return one line: what happens to the realm, and the number of clients by outcome."""
    counts = Counter(map(outcome_of, report.clients))
    named = ", ".join(f"{counts[outcome]:,} {words}" for outcome, words in _WORDS.items() if counts[outcome])
    realm = "" if report.realm is None else f"realm {report.realm.name} {report.realm.action.lower()}; "
    return f"{'plan: ' if report.dry_run else ''}{realm}clients: {named or 'none'}"


def _is_problem(client: ImportedClient) -> bool:
    return outcome_of(client) in (Outcome.CHANGED, Outcome.REFUSED)


def _indented(notes: Sequence[str]) -> Iterator[str]:
    for note in notes:
        yield f"  {note}"
        yield f"    → {advice_on(note)}"


def _describe_realm(report: ImportReport, only_problems: bool) -> dict[str, Any]:
    counts = Counter(map(outcome_of, report.clients))
    realm = report.realm
    return {
        "realm": None if realm is None else realm.name,
        "realmAction": None if realm is None else realm.action.value,
        "realmNotes": [] if realm is None else with_advice(realm.notes),
        "dryRun": report.dry_run,
        "counts": {outcome.value: counts[outcome] for outcome in Outcome},
        "clients": [
            {
                "clientId": client.client_id,
                "id": client.uuid,
                "outcome": outcome_of(client).value,
                "notes": with_advice(client.notes),
            }
            for client in report.clients
            if not only_problems or _is_problem(client)
        ],
    }
