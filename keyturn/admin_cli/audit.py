"""``keyturn audit``."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.options import Json, Most, ProfileName, Realm
from keyturn.admin_cli.rendering import cell, time_text
from keyturn.admin_cli.session import Session, opened

PAGE: Final = 1000
_HEADS: Final = ("TIME", "ACTION", "CLIENT ID", "BY", "FROM", "DETAILS")

Entry = dict[str, Any]


app: Final = typer.Typer(invoke_without_command=True)


@app.callback()
def audit(
    context: typer.Context,
    client_id: Annotated[str | None, typer.Option("--client", help="Only changes of this client ID.")] = None,
    actor: Annotated[
        str | None, typer.Option(help="Only changes by the client with this ID, or the person.")
    ] = None,
    action: Annotated[str | None, typer.Option(help="Only this action.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Not before: 2026-11-30, 2026-11-30T08:00, or seconds. UTC by default.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only before this time.")] = None,
    most: Most = 100,
    all_: Annotated[
        bool, typer.Option("--all", help="Print every entry, newest first; with --json, a line for each.")
    ] = False,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Show who changed what, newest first; or, with a command, check that nobody changed that."""
    if context.invoked_subcommand is not None:
        return
    with opened(profile, realm, as_json=as_json) as session:
        asked: dict[str, str | int | None] = {
            "client_id": client_id,
            "actor": actor,
            "action": action,
            "since": seconds_of(since),
            "until": seconds_of(until),
        }
        if not all_:
            found = session.api.get_list(session.path("audit"), {**asked, "max": most})
            if as_json:
                session.out.json(found)
            else:
                session.out.table(_HEADS, [_row(entry) for entry in found], none="No entries.")
            return
        printed = 0
        for page in _pages(session, asked):
            session.out.end_progress()
            for entry in page:
                if as_json:
                    session.out.json(entry, indent=None)
                else:
                    session.out.line("  ".join(map(cell, _row(entry))))
            printed += len(page)
            session.out.progress(f"{printed:,} entries")


def seconds_of(text: str | None) -> int | None:
    """Return NumericDate seconds of a date, a time, or seconds. Raises CommandError."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 12 and len(text) != 8:
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text} is not a time; write 2026-11-30 or 2026-11-30T08:00", ExitCode.USAGE
        ) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def _pages(session: Session, asked: dict[str, str | int | None]) -> Iterator[list[Entry]]:
    before: int | None = None
    while True:
        page = session.api.get_list(session.path("audit"), {**asked, "before": before, "max": PAGE})
        if page:
            yield page
        if len(page) < PAGE:
            return
        before = page[-1]["id"]


def author_of(actor: Entry) -> object:
    """Return a client id, or a person's name with the subject: anyone can choose a name."""
    person = actor.get("person")
    if not person:
        return actor.get("client_id")
    name, subject = person.get("name"), person.get("subject")
    return f"{name} ({subject})" if name else subject


def _row(entry: Entry) -> tuple[object, ...]:
    actor = entry.get("actor") or {}
    return (
        time_text(entry.get("time")),
        entry.get("action"),
        entry.get("client_id"),
        author_of(actor),
        entry.get("remote_address"),
        entry.get("details") or None,
    )
