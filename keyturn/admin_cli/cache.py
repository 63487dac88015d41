"""``keyturn cache``."""

from typing import Annotated, Final

import typer

from keyturn.admin_cli.client_lookup import find_client
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.options import DEFAULT_WAIT, Json, ProfileName, Realm, Wait
from keyturn.admin_cli.session import opened, reporting

app: Final = typer.Typer(
    help="Clear the nodes' caches of clients' keys.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def cache() -> None:
    """Clear the nodes' caches of clients' keys."""


@app.command()
def clear(
    client: Annotated[str | None, typer.Argument(help="The client: its client ID or its UUID.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Clear the keys of all clients of the realm.")] = False,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Forget the keys that were fetched from a client's JWKS URL, on every node."""
    with reporting():
        if (client is None) is not all_:
            raise CommandError("name a client, or use --all", ExitCode.USAGE)
    with opened(profile, realm, as_json=as_json) as session:
        if client is None:
            change = session.change("POST", "clear-keys-cache", wait=wait)
            session.finish(change, f"Cleared the keys of all clients of realm {session.realm}")
        else:
            found = find_client(session, client)
            change = session.change("POST", "clients", found["id"], "clear-keys-cache", wait=wait)
            session.finish(change, f"Cleared the keys of {found['clientId']}", client_id=found["clientId"])
