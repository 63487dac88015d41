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


@app.command()
def compare(
    source: _Source,
    keyturn_url: Annotated[str, typer.Option(help="Base URL of keyturn, or of one of its nodes.")],
    keycloak_url: Annotated[
        str | None, typer.Option(help="Base URL of the Keycloak; by default the source.")
    ] = None,
    realm: _Realm = None,
    to_realm: _ToRealm = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="Directory of clients' own keys, by percent-encoded client id: ID.pem or ID.jwk, for"
            " certificates ID.crt and ID.key."
        ),
    ] = None,
    introspect_as: Annotated[
        str | None, typer.Option(help="Client that introspects all tokens, instead of each its own.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Clients compared at a time.")] = 8,
    seconds: Annotated[float, typer.Option(min=0.1, max=120, help="Time limit of each call.")] = 10.0,
    report: Annotated[
        Path | None, typer.Option(help="Directory for comparison.json, comparison.md and comparison.html.")
    ] = None,
    admin_realm: _AdminRealm = "master",
    admin_client: _AdminClient = "keyturn-migration",
    ca_file: _CaFile = None,
    allow_http: _AllowHttp = False,
    as_json: _Json = False,
) -> None:
    """Get a token for each client from both sides, and report every difference and its reason."""
    from keyturn.migrate.compare.command import ComparingOrder, run_compare
    from keyturn.migrate.source import SourceOptions

    options = SourceOptions(source, realm, admin_realm, admin_client, ca_file, allow_http)
    order = ComparingOrder(
        options,
        keyturn_url,
        keycloak_url,
        to_realm,
        keys,
        introspect_as,
        concurrency,
        seconds,
        report,
        as_json,
    )
    raise typer.Exit(run_compare(order))
