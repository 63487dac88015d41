"""``keyturn keys``."""

from pathlib import Path
from typing import Annotated, Final

import typer

from keyturn.admin_cli.client_lookup import find_client
from keyturn.admin_cli.options import DEFAULT_WAIT, Client, Json, ProfileName, Realm, Wait
from keyturn.admin_cli.rendering import time_text
from keyturn.admin_cli.session import opened

app: Final = typer.Typer(
    help="List, import and revoke clients' public keys.", no_args_is_help=True, rich_markup_mode=None
)

_HEADS: Final = ("KID", "TYPE", "ALGORITHM", "SOURCE", "SINCE", "ENDS", "REVOKED", "THUMBPRINT")


@app.command("list")
def list_(client: Client, realm: Realm = None, profile: ProfileName = None, as_json: Json = False) -> None:
    """List a client's keys in use, and those that were revoked."""
    with opened(profile, realm, as_json=as_json) as session:
        found = find_client(session, client)
        keys = session.api.get_list(session.path("clients", found["id"], "keys"))
        if as_json:
            session.out.json(keys)
            return
        rows = [
            (
                *(key.get(name) for name in ("kid", "kty", "alg", "source")),
                *(time_text(key.get(name)) for name in ("since", "not_after", "revoked_at")),
                key.get("thumbprint"),
            )
            for key in keys
        ]
        session.out.table(_HEADS, rows, none="No keys.")


@app.command("import")
def import_(
    client: Client,
    file: Annotated[
        Path,
        typer.Argument(help="A certificate or public key in PEM, a JWK Set, or a PKCS #12 or JKS archive."),
    ],
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Certificate PEM, Public Key PEM, JSON Web Key Set, PKCS12 or JKS; found out if not given.",
        ),
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="Read the archive's password from this file instead of asking for it.")
    ] = None,
    alias: Annotated[str | None, typer.Option(help="The alias of the key in the archive.")] = None,
    replace_jwks_url: Annotated[
        bool,
        typer.Option("--replace-jwks-url", help="Use these keys instead of those at the client's JWKS URL."),
    ] = False,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Import a client's public key, certificate or JWK Set. It replaces the keys that the client had.

    Only an archive is sent with its private key, as in Keycloak; the server drops that key.
    """
    from keyturn.admin_cli.key_files import read_key_file

    with opened(profile, realm, as_json=as_json) as session:
        read = read_key_file(file, file_format, password_file)
        found = find_client(session, client)
        form = {"keystoreFormat": read.file_format}
        if alias is not None:
            form["keyAlias"] = alias
        if read.password is not None:
            form |= {"storePassword": read.password.reveal(), "keyPassword": read.password.reveal()}
        change = session.change(
            *("POST", "clients", found["id"], "certificates", "jwt.credential", "upload-certificate"),
            wait=wait,
            query={"replaceJwksUrl": "true"} if replace_jwks_url else None,
            data=form,
            files={"file": (file.name, read.content)},
        )
        session.finish(change, f"Imported the keys of {found['clientId']}", client_id=found["clientId"])


@app.command()
def revoke(
    client: Client,
    thumbprint: Annotated[str, typer.Argument(help="The key's thumbprint, as keyturn keys list shows it.")],
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Refuse a key from now on, also if the client's JWKS URL still has it."""
    with opened(profile, realm, as_json=as_json) as session:
        found = find_client(session, client)
        change = session.change("POST", "clients", found["id"], "keys", thumbprint, "revoke", wait=wait)
        session.finish(
            change,
            f"Revoked key {thumbprint} of {found['clientId']}",
            client_id=found["clientId"],
            thumbprint=thumbprint,
        )
