"""Text report of an import."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from keyturn.terminal_text import printable
from keyturn_credentials.operations.import_report import Action, ImportedClient, ImportReport

_ORDER: Final = (Action.ADDED, Action.OVERWRITTEN, Action.SKIPPED, Action.REFUSED)
_WORDS: Final = {action: action.value.lower() for action in _ORDER}


def summary(report: ImportReport) -> str:
    """Return one line: the realm, and the number of clients by outcome."""
    counts = Counter(client.action for client in report.clients)
    outcomes = ", ".join(f"{counts[action]} {_WORDS[action]}" for action in _ORDER)
    with_notes = sum(bool(client.notes) for client in report.clients if client.action is not Action.REFUSED)
    notes_suffix = f"; {with_notes} with notes" if with_notes else ""
    realm = "" if report.realm is None else f"realm {report.realm.name} {_WORDS[report.realm.action]}; "
    return f"{'dry run: ' if report.dry_run else ''}{realm}clients: {outcomes}{notes_suffix}"


def lines(reports: Sequence[ImportReport], *, only_problems: bool) -> Iterator[str]:
    """Yield, as printable text, the summaries, then for each report its realm's notes and its clients.
    ``only_problems``: only clients that were refused or have a note."""
    yield from map(printable, _lines(reports, only_problems=only_problems))


def _lines(reports: Sequence[ImportReport], *, only_problems: bool) -> Iterator[str]:
    yield from map(summary, reports)
    for report in reports:
        name = "" if report.realm is None else report.realm.name
        if report.realm is not None:
            yield from (f"realm {name}: {note}" for note in report.realm.notes)
        for client in report.clients:
            if not only_problems or is_problem(client):
                prefix = f"{name}/" if len(reports) > 1 else ""
                notes = f": {'; '.join(client.notes)}" if client.notes else ""
                yield f"{_WORDS[client.action]:<11} {prefix}{client.client_id}{notes}"


def is_problem(client: ImportedClient) -> bool:
    """Return whether the client was refused or has a note."""
    return client.action is Action.REFUSED or bool(client.notes)
