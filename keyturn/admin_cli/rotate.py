"""``keyturn rotate``: a campaign."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from keyturn.admin_cli.audit import seconds_of
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.fleet import answer_of
from keyturn.admin_cli.options import Json, ProfileName, Realm
from keyturn.admin_cli.rendering import time_text
from keyturn.admin_cli.session import Session, opened
from keyturn.terminal_text import counted

if TYPE_CHECKING:
    from keyturn.admin_cli.campaign import Outcome

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

    with opened(profile, realm, as_json=as_json) as session:
        if compromised and canary:
            raise CommandError("--compromised ends secrets at once: it takes no --canary", ExitCode.USAGE)
        before = _time(session, created_before)
        selection = Selection(
            created_before=before, part=search, attributes=query, authenticator=authenticator
        )
        found = list(selection.clients(session))
        clients = [each for each in found if not session.is_own_client(each)]
        if len(clients) < len(found):
            session.out.message("keyturn: your own client, which you are signed in with, is left out")
        if dry_run:
            _show(session, clients)
            return
        if clients and not yes and not _confirmed(session, len(clients), compromised=compromised):
            raise CommandError("nothing was changed", ExitCode.USAGE)
        pace = Pace(rate=rate, canary=canary, canary_seconds=canary_wait, max_failures=max_failures)
        campaign = Campaign(session, selection, pace, "compromised" if compromised else "manual")
        outcome = campaign.outcome
        try:
            campaign.run(clients)
            fleet = _fleet(session, outcome.sequence)
        except (KeyboardInterrupt, CommandError) as error:
            advice = _advice(session, outcome, before)
            done = f"stopped after {len(outcome.rotated)} of {outcome.selected} clients"
            session.out.message(f"keyturn: {done}; {advice}")
            if isinstance(error, CommandError):
                raise
            raise typer.Exit(130) from None
        _report(session, outcome, before, fleet)
        for name, reason in list(outcome.failed.items())[:_SHOWN]:
            session.out.message(f"keyturn: {name}: {reason}")
        if outcome.stopped is not None:
            raise CommandError(f"stopped: {outcome.stopped}; {_advice(session, outcome, before)}")
        if outcome.failed:
            failed = counted(len(outcome.failed), "rotation")
            raise CommandError(f"{failed} could not be begun; {_advice(session, outcome, before)}")
        if fleet is not None and not fleet.get("safe"):
            raise typer.Exit(ExitCode.UNCONFIRMED)


def _fleet(session: Session, sequence: int | None) -> dict[str, Any] | None:
    """Wait until every node has applied the newest change, or is known not to have. Return its answer."""
    if sequence is None:
        return None
    session.out.progress("Waiting for the nodes …")
    asked: dict[str, str | int | None] = {"sequence": sequence, "wait": _WAIT_SECONDS}
    return session.api.get(session.path("fleet"), asked, seconds=_WAIT_SECONDS)


def _report(session: Session, outcome: "Outcome", before: float, fleet: dict[str, Any] | None) -> None:
    session.out.end_progress()
    if session.out.as_json:
        members = {
            "selected": outcome.selected,
            "rotated": len(outcome.rotated),
            "under_way": outcome.under_way,
            "skipped": outcome.skipped,
            "failed": outcome.failed,
            "unused": outcome.unused,
            "stopped": outcome.stopped,
            "created_before": before,
            "sequence": outcome.sequence,
            "safe": None if fleet is None else bool(fleet.get("safe")),
        }
        session.out.json(members)
        return
    if not outcome.selected:
        session.out.line("No client has such a secret.")
        return
    done = f"{len(outcome.rotated)} of {outcome.selected} rotations begun"
    if outcome.under_way:
        done += f", {len(outcome.under_way)} were under way before"
    if outcome.skipped:
        done += f", {len(outcome.skipped)} skipped: gone, or with another secret by now"
    session.out.line(f"{done}.")
    if fleet is not None:
        session.out.line(answer_of(fleet).sentence())


def _advice(session: Session, outcome: "Outcome", before: float) -> str:
    """Return what to do after an end before its time. Print which of the first clients to look into."""
    again = f"the same command with --created-before {_text(before)}"
    if not outcome.unused:
        return f"{again} continues"
    for name, uuid in list(outcome.unused.items())[:_SHOWN]:
        session.out.message(f"keyturn: {name}: see keyturn rotations show {uuid}")
    advice = "these first clients must use their new secrets before others are rotated"
    return f"{advice}; {again} begins with other first clients"


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


def _time(session: Session, text: str | None) -> int:
    """Return the time before which secrets were made. By a clock other than the server's, secrets that the
    campaign itself makes could be older than that."""
    now = session.api.server_time(session.path("clients"), {"first": 0, "max": 1})
    seconds = seconds_of(text)
    if seconds is None:
        return now
    if seconds > now:
        raise CommandError(f"--created-before: on the server it is only {_text(now)} UTC", ExitCode.USAGE)
    return seconds


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
