"""``keyturn rotations``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.client_lookup import uuid_of
from keyturn.admin_cli.options import DEFAULT_WAIT, Client, Json, Most, ProfileName, Realm, Wait
from keyturn.admin_cli.public_keys import read_public_jwk
from keyturn.admin_cli.rendering import Output, time_text
from keyturn.admin_cli.session import Session, opened

app: Final = typer.Typer(
    help="Start, follow and steer rotations of secrets and keys.", no_args_is_help=True, rich_markup_mode=None
)

Rotation = Annotated[str, typer.Argument(help="The rotation's ID, as keyturn rotations list shows it.")]
_HEADS: Final = ("ID", "CLIENT ID", "STATE", "WAITS FOR", "REASON", "CREATED", "DEADLINE", "ALERT OR FAILURE")


@app.command("list")
def list_(
    state: Annotated[
        str | None,
        typer.Option(help="Only these states, separated by commas; open: all that have not ended."),
    ] = None,
    client: Annotated[str | None, typer.Option(help="Only of this client: its client ID or UUID.")] = None,
    most: Most = 100,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """List rotations, newest first."""
    with opened(profile, realm, as_json=as_json) as session:
        if client is None:
            found = session.api.get_list(session.path("rotations"), {"state": state, "max": most})
        else:
            path = session.path("clients", uuid_of(session, client), "rotations")
            found = session.api.get_list(path, {"max": most})
            wanted = set(state.split(",")) if state else None
            found = [each for each in found if wanted is None or _is_in(each, wanted)]
        if as_json:
            session.out.json(found)
            return
        rows = [
            (
                *(each.get(name) for name in ("id", "client_id")),
                state_of(each),
                *(each.get(name) for name in ("waits_for", "reason")),
                *(time_text(each.get(name)) for name in ("created_at", "deadline")),
                each.get("alert") or (each.get("failure") or {}).get("code"),
            )
            for each in found
        ]
        session.out.table(_HEADS, rows, none="No rotations.")


@app.command()
def show(rotation: Rotation, realm: Realm = None, profile: ProfileName = None, as_json: Json = False) -> None:
    """Show a rotation with its history."""
    with opened(profile, realm, as_json=as_json) as session:
        found = session.api.get(session.path("rotations", rotation))
        if as_json:
            session.out.json(found)
        else:
            _describe(found, session.out)


@app.command()
def start(
    client: Client,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else has the secret or key: it ends at once.")
    ] = False,
    key: Annotated[
        bool, typer.Option("--key", help="Rotate the client's key instead: ask the client for its next one.")
    ] = False,
    jwk: Annotated[
        Path | None,
        typer.Option(help="A file with the client's next public key as a JWK, to register; - reads it."),
    ] = None,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Start to rotate a client's secret or key. The former one ends once the client has used the new one."""
    with opened(profile, realm, as_json=as_json) as session:
        reason = "compromised" if compromised else "manual"
        body: dict[str, Any] = {"kind": "key" if key or jwk else "secret", "reason": reason}
        if jwk is not None:
            body["jwk"] = read_public_jwk(jwk)
        uuid = uuid_of(session, client)
        change = session.change("POST", "clients", uuid, "rotations", wait=wait, json=body)
        begun = change.body
        session.finish(change, f"Rotation {begun.get('id')} has begun: {_now(begun)}", rotation=begun)


@app.command()
def pause(
    rotation: Rotation,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Hold a rotation up. The client keeps the secrets that it has."""
    _move(rotation, "pause", realm, profile, wait, as_json)


@app.command()
def resume(
    rotation: Rotation,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Let a paused rotation go on."""
    _move(rotation, "resume", realm, profile, wait, as_json)


@app.command()
def cancel(
    rotation: Rotation,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Give a rotation up: the former secret is the only one again."""
    _move(rotation, "cancel", realm, profile, wait, as_json)


@app.command()
def delivered(
    rotation: Rotation,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Confirm that the client has the new secret."""
    _move(rotation, "delivered", realm, profile, wait, as_json)


@app.command()
def watch(
    rotation: Rotation,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Give up watching after so many seconds, with exit code 4.")
    ] = None,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Follow a rotation until it ends. Exits with 0 if it is done, and with 1 if it was given up."""
    from keyturn.admin_cli.rotation_watch import follow

    with opened(profile, realm, as_json=as_json) as session:
        path = session.path("rotations", rotation)
        raise typer.Exit(follow(lambda: session.api.get(path), session.out, timeout))


@app.command()
def plan(
    days: Annotated[int, typer.Option(min=1, max=36_500, help="How many days to look ahead.")] = 90,
    most: Most = 1000,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Show what policies will do to secrets and keys, soonest first, and what would lock a client out."""
    with opened(profile, realm, as_json=as_json) as session:
        show_plan(
            session, session.api.get_list(session.path("rotations", "plan"), {"days": days, "max": most})
        )


def show_plan(session: Session, planned: list[dict[str, Any]]) -> None:
    """Print a plan."""
    if session.out.as_json:
        session.out.json(planned)
        return
    effects = {
        "rotates": "rotates",
        "rotates_strictly": "rotates; the former {} ends, used or not",
        "expires": "EXPIRES: the client is locked out",
    }
    rows = [
        (
            time_text(each.get("at")),
            each.get("client_id"),
            each.get("kind"),
            effects.get(str(each.get("effect")), str(each.get("effect"))).format(each.get("kind")),
            time_text(each.get("expires_at")),
        )
        for each in planned
    ]
    session.out.table(("AT", "CLIENT ID", "KIND", "EFFECT", "EXPIRES"), rows, none="Nothing is planned.")


def failure_of(rotation: Mapping[str, Any]) -> str | None:
    """Return why the rotation has failed, in words; None if it has not."""
    failure = rotation.get("failure")
    return f"{failure.get('code')}: {failure.get('detail')}" if failure else None


def state_of(rotation: Mapping[str, Any]) -> str:
    """Return the state in words."""
    return f"{rotation.get('state')}{' (paused)' if rotation.get('paused') else ''}"


def _move(rotation: str, move: str, realm: str | None, profile: str | None, wait: int, as_json: bool) -> None:
    with opened(profile, realm, as_json=as_json) as session:
        change = session.change("POST", "rotations", rotation, move, wait=wait)
        session.finish(
            change,
            f"Rotation {rotation} of {change.body.get('client_id')}: {_now(change.body)}",
            rotation=change.body,
        )


def _now(rotation: Mapping[str, Any]) -> str:
    waits = rotation.get("waits_for")
    return f"{state_of(rotation)}, waits for {waits}" if waits else state_of(rotation)


def _is_in(rotation: Mapping[str, Any], states: set[str]) -> bool:
    is_open = rotation.get("state") in ("planned", "prepared", "delivered", "in_use", "retired")
    return rotation.get("state") in states or ("open" in states and is_open)


def _describe(rotation: Mapping[str, Any], out: Output) -> None:
    out.members(
        {
            "ID": rotation.get("id"),
            "client ID": rotation.get("client_id"),
            "kind": rotation.get("kind"),
            "reason": rotation.get("reason"),
            "state": state_of(rotation),
            "waits for": rotation.get("waits_for"),
            "alert": rotation.get("alert"),
            "failure": failure_of(rotation),
            "starts": time_text(rotation.get("start_at")),
            "deadline": time_text(rotation.get("deadline")),
            "former ends": time_text(rotation.get("retire_at")),
        }
    )
    moves = [
        (time_text(move.get("at")), move.get("state"), move.get("sequence"))
        for move in rotation.get("history", ())
    ]
    out.table(("TIME", "STATE", "SEQUENCE"), moves)
