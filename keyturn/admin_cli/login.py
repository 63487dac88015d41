"""``keyturn login`` and ``keyturn logout``."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.options import AdminClientId, CaFile, InsecureHttp, Json, ProfileName
from keyturn.admin_cli.rendering import Output, time_text
from keyturn.admin_cli.session import reporting

if TYPE_CHECKING:
    from keyturn.admin_cli.profiles import Profile, ProfileStore
    from keyturn_shared.jose.signing import SigningKey
    from keyturn_shared.secret import Secret


def login(
    server: Annotated[
        str | None,
        typer.Argument(
            help="The base URL, such as https://id.example.com. Without it, sign in again with the saved"
            " profile, or to the stack in --data-dir."
        ),
    ] = None,
    client_id: AdminClientId = None,
    realm: Annotated[
        str | None,
        typer.Option(
            help="The realm of the administrator. Defaults to the profile's, or master for a new one."
        ),
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="Read the secret from this file, now and whenever a token is needed.")
    ] = None,
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option(help="Sign in with this private key: a JWK with alg, or PEM. Read again when needed."),
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option(help="The kid for a PEM key; by default its thumbprint. A JWK's own kid is used."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Sign in to the local stack that runs in this directory.")
    ] = None,
    default_realm: Annotated[
        str | None,
        typer.Option(
            help="The realm that commands work on. Defaults to the administrator's; a different one that"
            " the profile has is kept."
        ),
    ] = None,
    profile: ProfileName = None,
    ca_file: CaFile = None,
    insecure_http: InsecureHttp = False,
    as_json: Json = False,
) -> None:
    """Sign in to a server, and keep the access token in a profile.

    The profile is a file that only you can read. The secret itself is not kept: with --secret-file,
    --key-file or --data-dir, commands renew the token automatically; otherwise run login again when it
    expires.
    """
    from keyturn.admin_cli.profiles import ProfileStore, absolute
    from keyturn.admin_cli.servers import check_server, connect
    from keyturn.admin_cli.sign_in import get_token

    with reporting():
        if sum((secret_file is not None, secret_stdin, key_file is not None, data_dir is not None)) > 1:
            raise CommandError(
                "use one of --secret-file, --secret-stdin, --key-file and --data-dir", ExitCode.USAGE
            )
        store = ProfileStore.of(os.environ)
        wanted = _profile(store, server, client_id, profile, data_dir)
        # A default realm that was never chosen is the administrator's realm, and changes with it.
        has_own_default = wanted.default_realm != wanted.realm
        given = {
            "client_id": client_id,
            "realm": realm,
            "default_realm": default_realm or (None if has_own_default else realm),
            "ca_file": absolute(ca_file),
            "key_id": key_id,
        }
        changes: dict[str, object] = {name: value for name, value in given.items() if value is not None}
        if insecure_http:
            changes["insecure_http"] = True
        if secret_stdin or secret_file or key_file or data_dir:
            changes["secret_file"] = absolute(secret_file)
            changes["key_file"] = absolute(key_file)
            changes["data_dir"] = absolute(data_dir)
        wanted = replace(wanted, **changes)  # type: ignore[arg-type]  # each has its field's type
        url = check_server(wanted.server, insecure_http=wanted.insecure_http)
        connection = connect(url, wanted.ca_file)
        try:
            token = get_token(connection, wanted, _credential(wanted, secret_stdin))
        finally:
            connection.close()
        store.save(wanted.with_token(token.text, token.expires_at), make_current=True)
        out = Output(as_json)
        fields = {
            "profile": wanted.name,
            "server": wanted.server,
            "client_id": wanted.client_id,
            "realm": wanted.realm,
            "default_realm": wanted.default_realm,
            "token_expires_at": token.expires_at,
        }
        if as_json:
            out.json(fields)
        else:
            out.line(f"Signed in to {wanted.server} as {wanted.client_id} (profile {wanted.name})")
            out.line(f"The token expires at {time_text(token.expires_at)}")


def logout(profile: ProfileName = None) -> None:
    """Remove a profile and its stored access token.

    The token is not revoked, and stays valid until it expires.
    """
    from keyturn.admin_cli.profiles import ProfileStore

    with reporting():
        store = ProfileStore.of(os.environ)
        found = store.load(profile)
        store.delete(found)
        Output(as_json=False).line(f"Signed out of {found.server} (profile {found.name})")


def _profile(
    store: "ProfileStore", server: str | None, client_id: str | None, name: str | None, data_dir: Path | None
) -> "Profile":
    """Return the profile to sign in with: a new one for a server, or else an existing one."""
    from keyturn.admin_cli.profiles import Profile, name_for
    from keyturn.admin_cli.servers import check_server
    from keyturn.admin_cli.sign_in import local_stack

    realm = "master"
    if data_dir is not None:
        local = local_stack(data_dir)
        server = server or local.base_url
        client_id, realm = client_id or local.admin.client_id, local.admin.realm
    if server is None:
        return store.load(name)
    if client_id is None and sys.stdin.isatty():
        client_id = typer.prompt("Client ID", err=True)
    if client_id is None:
        raise CommandError("--client-id is missing", ExitCode.USAGE)
    url = check_server(server, insecure_http=True)
    return Profile(
        name=name or name_for(url.host, url.port),
        server=str(url).rstrip("/"),
        realm=realm,
        client_id=client_id,
        default_realm=realm,
    )


def _credential(profile: "Profile", from_stdin: bool) -> "Secret | SigningKey":
    """Return the secret or key to sign in with, and ask for the secret if nothing else gives it."""
    from keyturn.admin_cli.sign_in import clean_secret, credential_from_files

    if from_stdin:
        return clean_secret(sys.stdin.read(65536), "standard input")
    found = credential_from_files(profile)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for the secret: use --secret-stdin, --secret-file or --key-file",
            ExitCode.USAGE,
        )
    entered: str = typer.prompt(f"Secret of {profile.client_id}", hide_input=True, err=True)
    return clean_secret(entered, "the input")
