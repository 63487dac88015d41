"""The commands of ``keyturn migrate``."""

from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer(
    help="Move a Keycloak's realms, and compare both sides. Exit codes: 0 done, 1 clients were refused or"
    " differ, 2 nothing was done.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Source = Annotated[str, typer.Argument(help="An export file, or the URL of a running Keycloak.")]
_Realm = Annotated[str | None, typer.Option(help="The realm to read; required with a URL.")]
_ToRealm = Annotated[str | None, typer.Option(help="Another name for the realm in keyturn.")]
_IfExists = Annotated[
    str, typer.Option(help="What to do with a client that keyturn already has: SKIP, OVERWRITE or FAIL.")
]
_AdminRealm = Annotated[str, typer.Option(help="Realm of the Keycloak's administrator client.")]
_AdminClient = Annotated[
    str,
    typer.Option(
        help="Client id of the Keycloak's administrator. Its secret is read from"
        " KEYTURN_MIGRATE_ADMIN_SECRET, the file in KEYTURN_MIGRATE_ADMIN_SECRET_FILE, or asked for."
    ),
]
_CaFile = Annotated[Path | None, typer.Option(help="PEM file of private authorities that TLS trusts.")]
_AllowHttp = Annotated[bool, typer.Option("--allow-http", help="Send secrets over http to other machines.")]
_DataDir = Annotated[Path | None, typer.Option(help="Use the local stack of this directory.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
_OnlyProblems = Annotated[
    bool, typer.Option("--only-problems", help="List only clients that change or are refused.")
]


@app.command()
def plan(
    source: _Source,
    realm: _Realm = None,
    to_realm: _ToRealm = None,
    if_exists: _IfExists = "SKIP",
    admin_realm: _AdminRealm = "master",
    admin_client: _AdminClient = "keyturn-migration",
    ca_file: _CaFile = None,
    allow_http: _AllowHttp = False,
    data_dir: _DataDir = None,
    as_json: _Json = False,
    only_problems: _OnlyProblems = False,
) -> None:
    """Report what would move, what would change and what cannot move, with what to do. Writes nothing.

    Without --data-dir, configured by KEYTURN_* variables; KEYTURN_DATABASE_URL is required.
    """
    from keyturn.migrate.moving import MovingOrder, run_plan
    from keyturn.migrate.source import SourceOptions

    options = SourceOptions(source, realm, admin_realm, admin_client, ca_file, allow_http)
    order = MovingOrder(options, to_realm, if_exists, data_dir, as_json, only_problems)
    raise typer.Exit(run_plan(order))


@app.command()
def apply(
    source: _Source,
    realm: _Realm = None,
    to_realm: _ToRealm = None,
    if_exists: _IfExists = "SKIP",
    admin_realm: _AdminRealm = "master",
    admin_client: _AdminClient = "keyturn-migration",
    ca_file: _CaFile = None,
    allow_http: _AllowHttp = False,
    data_dir: _DataDir = None,
    as_json: _Json = False,
    only_problems: _OnlyProblems = False,
) -> None:
    """Move the realm, beside the running service. Interrupted, it is continued by the same command.

    Without --data-dir, configured by KEYTURN_* variables; KEYTURN_DATABASE_URL is required.
    """
    from keyturn.migrate.moving import MovingOrder, run_apply
    from keyturn.migrate.source import SourceOptions

    options = SourceOptions(source, realm, admin_realm, admin_client, ca_file, allow_http)
    order = MovingOrder(options, to_realm, if_exists, data_dir, as_json, only_problems)
    raise typer.Exit(run_apply(order))
