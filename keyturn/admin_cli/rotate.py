"""``keyturn rotate``: a campaign."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.audit import seconds_of
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.fleet import answer_of
from keyturn.admin_cli.options import Json, ProfileName, Realm
from keyturn.admin_cli.rendering import time_text
from keyturn.admin_cli.session import Session, opened

_WAIT_SECONDS: Final = 60
_SHOWN: Final = 20


def rotate(
    created_before: Annotated[
        str | None,
        typer.Option(
            help="Only secrets made before: 2026-11-30T08:00, or seconds. UTC and now by default. "
            "The same time again continues a campaign."
        ),
    ] = None,
    search: Annotated[str | None, typer.Option(help="Only client IDs that contain this.")] = None,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Only clients with these attributes: team:payments.")
    ] = None,
    authenticator: Annotated[
        str | None, typer.Option(help="Only this one: client-secret or client-secret-jwt.")
    ] = None,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else knows the secrets: they end at once.")
    ] = False,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Rotations to begin a second.")] = 20,
    canary: Annotated[
        int, typer.Option(min=0, help="Rotate so many first, and go on once they use their new secrets.")
    ] = 0,
    canary_wait: Annotated[
        int, typer.Option(min=1, help="Seconds to wait for these; the campaign stops if they do not.")
    ] = 600,
    max_failures: Annotated[int, typer.Option(min=0, help="Stop after more failures than this.")] = 5,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the clients, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Rotate the secrets of many clients. Ctrl-C stops it; the same command continues."""
    from keyturn.admin_cli.campaign import Campaign, Pace, Selection

    before = float(int(time.time())) if created_before is None else _time(created_before)
    selection = Selection(created_before=before, part=search, attributes=query, authenticator=authenticator)
    with opened(profile, realm, as_json=as_json) as session:
        clients = list(selection.clients(session))
        if dry_run:
            _show(session, clients)
            return
        if not clients:
            _finish(session, {}, "No client has such a secret.", None)
            return
        if not yes and not _confirmed(session, len(clients), compromised=compromised):
            raise CommandError("nothing was changed", ExitCode.USAGE)
        pace = Pace(rate=rate, canary=canary, canary_seconds=canary_wait, max_failures=max_failures)
        campaign = Campaign(session, pace, "compromised" if compromised else "manual")
        again = f"the same command with --created-before {_text(before)} continues"
        try:
            outcome = campaign.run(clients)
        except (KeyboardInterrupt, CommandError) as error:
            session.out.end_progress()
            begun = len(campaign.outcome.rotated)
            session.out.message(f"keyturn: stopped after {begun} of {len(clients)} clients; {again}")
            if isinstance(error, CommandError):
                raise
            raise typer.Exit(130) from None
        for name, reason in list(outcome.failed.items())[:_SHOWN]:
            session.out.message(f"keyturn: {name}: {reason}")
        members: dict[str, Any] = {
            "selected": len(clients),
            "rotated": len(outcome.rotated),
            "under_way": outcome.under_way,
            "failed": outcome.failed,
            "stopped": outcome.stopped,
            "created_before": before,
        }
        done = f"{len(outcome.rotated)} of {len(clients)} rotations begun"
        if outcome.under_way:
            done += f", {len(outcome.under_way)} were under way before"
        _finish(session, members, done + ".", outcome.sequence)
        if outcome.stopped is not None:
            raise CommandError(f"stopped: {outcome.stopped}; {again}")
        if outcome.failed:
            raise CommandError(f"{len(outcome.failed)} rotations could not be begun; {again}")


def _finish(session: Session, members: dict[str, Any], done: str, sequence: int | None) -> None:
    """Report, once every node has applied the newest change, or is known not to have."""
    fleet: dict[str, Any] | None = None
    if sequence is not None:
        session.out.progress("Waiting for the nodes …")
        asked: dict[str, str | int | None] = {"sequence": sequence, "wait": _WAIT_SECONDS}
        fleet = session.api.get(session.path("fleet"), asked, seconds=_WAIT_SECONDS)
        session.out.end_progress()
    is_safe = fleet is None or bool(fleet.get("safe"))
    if session.out.as_json:
        session.out.json({**members, "sequence": sequence, "safe": None if fleet is None else is_safe})
    else:
        session.out.line(done)
        if fleet is not None:
            session.out.line(answer_of(fleet).sentence())
    if not is_safe:
        raise typer.Exit(ExitCode.UNCONFIRMED)


def _show(session: Session, clients: list[dict[str, Any]]) -> None:
    from keyturn.admin_cli.campaign import CREATED

    found = [
        {
            "id": client.get("id"),
            "client_id": client.get("clientId"),
            "authenticator": client.get("clientAuthenticatorType"),
            "created_at": client.get("attributes", {}).get(CREATED),
        }
        for client in clients
    ]
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [
        (each["client_id"], each["authenticator"], time_text(each["created_at"]), each["id"])
        for each in found
    ]
    session.out.table(("CLIENT ID", "AUTHENTICATOR", "SECRET MADE", "ID"), rows, none="No client.")


def _confirmed(session: Session, count: int, *, compromised: bool) -> bool:
    what = "End the secrets" if compromised else "Rotate the secrets"
    return typer.confirm(f"{what} of {count} clients of realm {session.realm}?", err=True)


def _time(text: str) -> float:
    seconds = seconds_of(text)
    assert seconds is not None  # noqa: S101 - the text is not None
    return float(seconds)


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
