"""``keyturn clients evaluate``."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.client_lookup import find_client
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.options import Client, Json, ProfileName, Realm
from keyturn.admin_cli.rendering import Output
from keyturn.admin_cli.session import opened, reporting

_HEADS: Final = ("CHECK", "RESULT", "DETAIL")


def evaluate(
    client: Client,
    scope: Annotated[
        str | None, typer.Option(help="Scopes that the client requests, with spaces between.")
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option(help="An audience that the client requests, or that a token must be for; repeatable."),
    ] = None,
    resource: Annotated[
        list[str] | None, typer.Option(help="The same, as a resource of RFC 8707; repeatable.")
    ] = None,
    secret_file: Annotated[Path | None, typer.Option(help="Test the secret in this file.")] = None,
    assertion_file: Annotated[
        Path | None, typer.Option(help="Test the client assertion, a signed JWT, in this file.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="Test the access token in this file.")] = None,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Show step by step whether a client would get a token, and what the token would say.

    Nothing is changed: an assertion stays unused. Without a file, the client counts as authenticated. With
    --token-file, an access token is checked instead. The exit code is 1 if it would be refused.
    """
    with reporting():
        request = _request(scope, audience, resource, secret_file, assertion_file, token_file)
    with opened(profile, realm, as_json=as_json) as session:
        uuid = find_client(session, client)["id"]
        found = session.api.post(session.path("clients", uuid, "evaluate"), request)
        if as_json:
            session.out.json(found)
        else:
            _show(session.out, found)
        if found.get("accepted") is not True:
            raise typer.Exit(ExitCode.FAILED)


def _request(
    scope: str | None,
    audience: list[str] | None,
    resource: list[str] | None,
    secret_file: Path | None,
    assertion_file: Path | None,
    token_file: Path | None,
) -> dict[str, Any]:
    """Build the request. Raises CommandError."""
    from keyturn.admin_cli.sign_in import read_secret

    files = {"client_secret": secret_file, "client_assertion": assertion_file, "access_token": token_file}
    given = {name: path for name, path in files.items() if path is not None}
    if len(given) > 1:
        raise CommandError("use one of --secret-file, --assertion-file and --token-file", ExitCode.USAGE)
    request: dict[str, Any] = {"scope": scope, "audience": audience, "resource": resource}
    for name, path in given.items():
        text = read_secret(path).reveal()
        request[name] = text if name == "client_secret" else text.strip()
    return {name: value for name, value in request.items() if value}


def _show(out: Output, found: dict[str, Any]) -> None:
    steps = [step for step in found.get("steps", ()) if isinstance(step, dict)]
    rows = [(step.get("check"), step.get("result"), step.get("detail")) for step in steps]
    out.table(_HEADS, rows)
    token = found.get("token")
    if isinstance(token, dict):
        for name in ("header", "claims"):
            out.line("")
            out.line(f"Token, {name}:")
            for line in json.dumps(token.get(name), indent=2, ensure_ascii=False).splitlines():
                out.line(line)
    out.line("")
    if found.get("accepted") is True:
        out.line("It would be accepted.")
    for step in steps:
        if step.get("result") == "failed":
            out.line(f"It would be refused: {step.get('code')}. {step.get('advice')}")
