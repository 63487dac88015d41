"""``keyturn events``."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.options import Json, Most, ProfileName, Realm
from keyturn.admin_cli.rendering import Output, cell, time_text
from keyturn.admin_cli.session import opened

PAGE: Final = 1000
_HEADS: Final = ("SEQUENCE", "TIME", "TYPE", "CLIENT ID", "DETAILS")

Event = dict[str, Any]


def events(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new events until Ctrl-C.")
    ] = False,
    type_: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    client_id: Annotated[str | None, typer.Option("--client", help="Only events of this client ID.")] = None,
    most: Most = 100,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Show the newest events of a realm, oldest of them first. With --follow, JSON has a line for each."""
    from keyturn.admin_cli.polling import poll

    with opened(profile, realm, as_json=as_json) as session:

        def read(**where: int | None) -> list[Event]:
            path = session.path("event-log")
            return session.api.get_list(path, {"type": type_, "client_id": client_id, **where})

        shown = read(max=most)[::-1]
        if not follow:
            if as_json:
                session.out.json(shown)
            else:
                session.out.table(_HEADS, [_row(event) for event in shown], none="No events.")
            return
        _print(shown, session.out)
        new_events = reader_of_new(shown[-1]["sequence"] if shown else 0, read)
        for new in poll(new_events, session.out):
            _print(new, session.out)


def reader_of_new(last: int, read: Callable[..., list[Event]]) -> Callable[[], list[Event]]:
    """Return a function that reads the events since it was last called, oldest first."""

    def read_new() -> list[Event]:
        nonlocal last
        found = newer_than(last, read)
        if found:
            last = found[-1]["sequence"]
        return found

    return read_new


def newer_than(sequence: int, read: Callable[..., list[Event]]) -> list[Event]:
    """Return all events after one, oldest first, however many there are."""
    page = read(after=sequence, max=PAGE)
    found = page
    while len(page) == PAGE:
        page = read(after=sequence, before=page[-1]["sequence"], max=PAGE)
        found = found + page
    return found[::-1]


def _row(event: Event) -> tuple[object, ...]:
    return (
        event.get("sequence"),
        time_text(event.get("time")),
        event.get("type"),
        event.get("client_id"),
        event.get("details") or None,
    )


def _print(events: list[Event], out: Output) -> None:
    for event in events:
        if out.as_json:
            out.json(event, indent=None)
        else:
            out.line("  ".join(map(cell, _row(event))))
