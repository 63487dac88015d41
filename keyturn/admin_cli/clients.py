"""``keyturn clients``."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.client_lookup import find_client
from keyturn.admin_cli.evaluations import evaluate
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.options import DEFAULT_WAIT, Client, Json, Most, ProfileName, Realm, Wait
from keyturn.admin_cli.rendering import time_text
from keyturn.admin_cli.secret_files import check_secret_file, save_secret
from keyturn.admin_cli.session import Session, opened, reporting

app: Final = typer.Typer(help="List, create and delete clients.", no_args_is_help=True, rich_markup_mode=None)
app.command()(evaluate)

_HEADS: Final = ("CLIENT ID", "ENABLED", "AUTHENTICATOR", "NAME", "UUID")
_REFUSAL_HEADS: Final = ("TIME", "REASON", "METHOD", "ADDRESS")
_MASKED: Final = "**********"


@app.command("list")
def list_(
    search: Annotated[str | None, typer.Option(help="Only clients whose ID contains this text.")] = None,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Only clients with these attributes: name:value ….")
    ] = None,
    most: Most = 100,
    all_: Annotated[bool, typer.Option("--all", help="List every client, however many there are.")] = False,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """List the clients of a realm."""
    with opened(profile, realm, as_json=as_json) as session:
        asked: dict[str, str | int | None] = {"q": query}
        if search is not None:
            asked |= {"clientId": search, "search": "true"}
        found: list[dict[str, Any]] = []
        is_more = False
        if all_:
            for page in session.api.pages(session.path("clients"), asked):
                found += page
                session.out.progress(f"{len(found):,} clients")
            session.out.end_progress()
        else:
            asked_for = min(most + 1, 1000)
            found = session.api.get_list(session.path("clients"), {**asked, "first": 0, "max": asked_for})
            is_more = len(found) > most
            found = found[:most]
        if as_json:
            session.out.json([_without_secret(each) for each in found])
        else:
            rows = [
                (
                    each.get("clientId"),
                    each.get("enabled"),
                    each.get("clientAuthenticatorType"),
                    each.get("name"),
                    each.get("id"),
                )
                for each in found
            ]
            session.out.table(_HEADS, rows, none="No clients.")
        if is_more:
            session.out.message("There are more clients: see --max and --all")


@app.command()
def show(client: Client, realm: Realm = None, profile: ProfileName = None, as_json: Json = False) -> None:
    """Show a client with its attributes. Its secret is in keyturn secrets show."""
    with opened(profile, realm, as_json=as_json) as session:
        found = _without_secret(find_client(session, client))
        if as_json:
            session.out.json(found)
            return
        attributes = found.pop("attributes", None) or {}
        session.out.members(
            {
                "client ID": found.get("clientId"),
                "UUID": found.get("id"),
                "name": found.get("name"),
                "description": found.get("description"),
                "enabled": found.get("enabled"),
                "authenticator": found.get("clientAuthenticatorType"),
                "public": found.get("publicClient"),
                "service account": found.get("serviceAccountsEnabled"),
            }
        )
        if attributes:
            shown = [(name, _attribute(name, value)) for name, value in sorted(attributes.items())]
            session.out.table(("ATTRIBUTE", "VALUE"), shown)


@app.command()
def refusals(
    client: Client,
    most: Annotated[int, typer.Option("--max", min=1, max=100, help="Show at most this many.")] = 20,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Show why a client's authentications were refused, newest first.

    It is a sample, some seconds old: of many refusals, each node records a few. docs/refusals.md explains the
    codes.
    """
    with opened(profile, realm, as_json=as_json) as session:
        uuid = find_client(session, client)["id"]
        found = session.api.get_list(session.path("clients", uuid, "refusals"), {"max": most})
        if as_json:
            session.out.json(found)
            return
        rows = [
            (time_text(each.get("time")), each.get("code"), each.get("method"), each.get("address"))
            for each in found
        ]
        session.out.table(_REFUSAL_HEADS, rows, none="No refusals are known.")


@app.command()
def create(
    client_id: Annotated[str, typer.Argument(help="The client ID.")],
    name: Annotated[str | None, typer.Option(help="A name for people.")] = None,
    authenticator: Annotated[
        str, typer.Option(help="client-secret, client-secret-jwt, client-jwt, client-x509 or federated-jwt.")
    ] = "client-secret",
    jwks_url: Annotated[str | None, typer.Option(help="The URL of its keys, for client-jwt.")] = None,
    attributes: Annotated[
        list[str] | None, typer.Option("--attribute", "-a", help="An attribute, NAME=VALUE; repeatable.")
    ] = None,
    secret_to: Annotated[
        Path | None,
        typer.Option(help="Write the new secret to this file (mode 0600) instead of printing it."),
    ] = None,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Create a confidential client with a service account, and print its secret if it has one."""
    with opened(profile, realm, as_json=as_json) as session:
        check_secret_file(secret_to)
        given = dict(_pair(text) for text in attributes or ())
        if jwks_url is not None:
            given |= {"use.jwks.url": "true", "jwks.url": jwks_url}
        body = {
            "clientId": client_id,
            "name": name,
            "clientAuthenticatorType": authenticator,
            "serviceAccountsEnabled": True,
            "attributes": given,
        }
        body = {member: value for member, value in body.items() if value is not None}
        change = session.change("POST", "clients", wait=wait, json=body)
        uuid = str(change.body.get("id") or (change.location or "").rpartition("/")[2])
        secret = _new_secret(session, change.body, uuid, authenticator)
        members: dict[str, object] = {"id": uuid, "clientId": client_id}
        if secret is not None and secret_to is not None:
            save_secret(secret_to, secret)
        elif secret is not None:
            members["secret"] = secret
        done = f"Created client {client_id} ({uuid})"
        if not as_json and "secret" in members:
            session.out.line(f"Secret: {secret}")
        session.finish(change, done, **members)


@app.command()
def delete(
    clients: Annotated[list[str], typer.Argument(help="The clients: their client IDs or UUIDs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Delete clients. Their credentials and tokens are refused at once."""
    if not yes:
        with reporting():
            if not sys.stdin.isatty():
                raise CommandError("there is no terminal to ask: use --yes", ExitCode.USAGE)
        typer.confirm(f"Delete {len(clients)} client(s)?", abort=True, err=True)
    with opened(profile, realm, as_json=as_json) as session:
        found = [find_client(session, name) for name in clients]
        for number, each in enumerate(found, 1):
            is_last = number == len(found)
            # Nodes apply changes in order: once the last one is safe, all are.
            try:
                change = session.change("DELETE", "clients", str(each["id"]), wait=wait if is_last else 0)
            except CommandError:
                session.out.message(f"keyturn: {number - 1} of {len(found)} clients were deleted before this")
                raise
            if not is_last:
                session.out.progress(f"{number} of {len(found)} clients deleted")
                continue
            names = ", ".join(str(one["clientId"]) for one in found)
            session.finish(change, f"Deleted {names}", deleted=[one["id"] for one in found])


def _new_secret(session: Session, body: dict[str, Any], uuid: str, authenticator: str) -> str | None:
    if isinstance(body.get("secret"), str):
        return str(body["secret"])  # the realm stores digests only, and shows it just once
    if not uuid or not authenticator.startswith("client-secret"):
        return None
    value = session.api.get(session.path("clients", uuid, "client-secret")).get("value")
    return None if value is None else str(value)


def _without_secret(client: dict[str, Any]) -> dict[str, Any]:
    return {**client, "secret": _MASKED} if client.get("secret") else client


def _attribute(name: str, value: object) -> object:
    return time_text(value) if name.startswith("client.secret.") and name.endswith(".time") else value


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise CommandError(f"{text} is not NAME=VALUE", ExitCode.USAGE)
    return name, value
