"""``keyturn secrets``."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.client_lookup import find_client
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.options import DEFAULT_WAIT, Client, Json, ProfileName, Realm, Wait
from keyturn.admin_cli.rendering import time_text
from keyturn.admin_cli.secret_files import check_secret_file, save_secret
from keyturn.admin_cli.session import Session, opened

app: Final = typer.Typer(
    help="Show, regenerate and revoke clients' secrets.", no_args_is_help=True, rich_markup_mode=None
)

_To = Annotated[
    Path | None,
    typer.Option("--to", help="Write the secret to this file (mode 0600) instead of printing it."),
]
_Value = Annotated[bool, typer.Option("--value", help="Print nothing but the secret, for a pipe.")]
_MASKED: Final = "**********"


@app.command()
def show(
    client: Client,
    value: _Value = False,
    to: _To = None,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Show a client's secret, its age and expiry, and the former secret while it is accepted.

    A secret that you may not see, or that the realm stores as a digest only, is masked.
    """
    with opened(profile, realm, as_json=as_json) as session:
        check_secret_file(to)
        found = find_client(session, client)
        path = session.path("clients", found["id"], "client-secret")
        current = session.api.get(path).get("value")
        if value or to is not None:
            if current is None or current == _MASKED:
                raise CommandError(f"the secret of {found['clientId']} cannot be shown")
            _give(session, str(current), to)
            return
        former = session.api.find(f"{path}/rotated")
        attributes = found.get("attributes") or {}
        shown = {
            "client_id": found["clientId"],
            "secret": current,
            "created_at": attributes.get("client.secret.creation.time"),
            "expires_at": attributes.get("client.secret.expiration.time"),
            "former_secret": None if former is None else former.get("value"),
            "former_expires_at": attributes.get("client.secret.rotated.expiration.time"),
        }
        if as_json:
            session.out.json({name: _number(name, each) for name, each in shown.items()})
        else:
            session.out.members(
                {
                    name.replace("_", " ").removesuffix(" at"): time_text(each)
                    if name.endswith("_at")
                    else each
                    for name, each in shown.items()
                }
            )


@app.command()
def regenerate(
    client: Client,
    value: _Value = False,
    to: _To = None,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Give a client a new secret. The former one ends at once, or after the overlap of its policy."""
    with opened(profile, realm, as_json=as_json) as session:
        check_secret_file(to)
        found = find_client(session, client)
        change = session.change("POST", "clients", found["id"], "client-secret", wait=wait)
        secret = change.body.get("value")
        if not isinstance(secret, str):
            raise CommandError(
                "the secret is made, but the response does not have it: see keyturn secrets show"
            )
        members: dict[str, object] = {"client_id": found["clientId"]}
        if value or to is not None:
            _give(session, secret, to)
        elif as_json:
            members["secret"] = secret
        else:
            session.out.line(f"Secret: {secret}")
        if value:
            _finish_quietly(session, change)
        else:
            session.finish(change, f"{found['clientId']} has a new secret", **members)


@app.command()
def revoke(
    client: Client,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """End a client's former secret now, before its overlap is over.

    To end the current one, use keyturn secrets regenerate, or if somebody else knows it keyturn rotations
    start --compromised.
    """
    with opened(profile, realm, as_json=as_json) as session:
        found = find_client(session, client)
        change = session.change("DELETE", "clients", found["id"], "client-secret", "rotated", wait=wait)
        session.finish(
            change, f"The former secret of {found['clientId']} has ended", client_id=found["clientId"]
        )


def _give(session: Session, secret: str, to: Path | None) -> None:
    if to is None:
        session.out.raw(secret)
    else:
        save_secret(to, secret)


def _finish_quietly(session: Session, change: Any) -> None:
    """Report what the fleet says on standard error: standard output has the secret alone."""
    if change.fleet is not None:
        session.out.message(change.fleet.sentence())
    if change.is_unconfirmed:
        raise typer.Exit(ExitCode.UNCONFIRMED)


def _number(name: str, value: Any) -> Any:
    return int(value) if name.endswith("_at") and isinstance(value, str) and value.isdigit() else value
