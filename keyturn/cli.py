"""The ``keyturn`` command. Each command imports what it needs when it runs, so that --help is quick."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from keyturn import __version__
from keyturn.admin_cli.audit import app as audit_app
from keyturn.admin_cli.commands import add_to
from keyturn.administrators.commands import app as administrators_app
from keyturn.agent.commands import agent
from keyturn.audit_chain.commands import add_to as add_to_audit
from keyturn.backups.commands import backup, restore
from keyturn.configuration.commands import app as configuration_app
from keyturn.doctor.commands import doctor
from keyturn.jwks.commands import app as jwks_app
from keyturn.key_wrapping.commands import app as key_wrapping_app
from keyturn.log_keys.commands import app as log_keys_app
from keyturn.migrate.commands import app as migrate_app
from keyturn.probe.commands import probe

app: Final = typer.Typer(
    name="keyturn",
    help="Confidential client credentials: a system of record and a fleet of verifiers.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes longer to import than everything else --help does
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(agent)
app.add_typer(administrators_app, name="admin")
app.command()(backup)
app.add_typer(configuration_app, name="config")
app.command()(doctor)
app.add_typer(jwks_app, name="jwks")
app.add_typer(key_wrapping_app, name="key-wrapping")
app.add_typer(log_keys_app, name="log-keys")
app.add_typer(migrate_app, name="migrate")
app.command()(probe)
app.command()(restore)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"keyturn {__version__}")
        raise typer.Exit


@app.callback()
def keyturn(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Confidential client credentials: a system of record and a fleet of verifiers."""


@app.command()
def up(
    nodes: Annotated[int, typer.Option(min=1, max=32, help="Number of verifier nodes to run.")] = 2,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port of the base URL on 127.0.0.1. [default: that of the last start in the data directory,"
            " or 8080]",
        ),
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Directory for the stack's data and logs.")] = Path(
        ".keyturn"
    ),
    demo: Annotated[bool, typer.Option(help="Run the key-rotation demo when the stack is ready.")] = False,
    redis_url: Annotated[
        str | None, typer.Option(help="URL of a Redis to use instead of the embedded one.")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="URL of a database to use instead of SQLite.")
    ] = None,
) -> None:
    """Run the whole stack on this machine until Ctrl-C or SIGTERM."""
    from keyturn.stack.options import Options
    from keyturn.stack.up import run

    _end_with(run(Options(nodes, port, data_dir, demo, redis_url, database_url)))


@app.command()
def credentials() -> None:
    """Run the credentials service, configured by KEYTURN_* variables."""
    _run_service("credentials")


@app.command()
def verifier(
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Number of processes that answer at the node's address. [default: KEYTURN_WORKERS, or 1]",
        ),
    ] = None,
) -> None:
    """Run one verifier node, configured by KEYTURN_* variables.

    With several workers, SIGHUP replaces them one by one without refusing a request.
    """
    from keyturn.services import run_verifier

    if workers is not None:
        os.environ["KEYTURN_WORKERS"] = str(workers)
    _end_with(run_verifier())


@app.command()
def fetcher() -> None:
    """Run a fetcher of clients' JWKS URLs, configured by KEYTURN_* variables."""
    _run_service("fetcher")


@app.command()
def console(
    data_dir: Annotated[Path, typer.Option(help="Directory for the stack's data and logs.")] = Path(
        ".keyturn"
    ),
    realm: Annotated[
        str | None, typer.Option("--realm", "-r", help="The realm to open. By default, the admin's: master.")
    ] = None,
) -> None:
    """Print a one-time sign-in link for the console of a running local stack."""
    from keyturn.console_link import run

    _end_with(run(data_dir, realm))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A Keycloak realm export, or one of keyturn's.")],
    realm: Annotated[
        str | None, typer.Option(help="Import into this realm instead of the one named in the export.")
    ] = None,
    if_exists: Annotated[
        str, typer.Option(help="What to do with a client that already exists: FAIL, SKIP or OVERWRITE.")
    ] = "FAIL",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would happen; write nothing.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Import into the local stack of this directory.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    only_problems: Annotated[
        bool, typer.Option("--only-problems", help="List only clients that were refused or have a note.")
    ] = False,
) -> None:
    """Import realms with their clients from an export, and report what could not be imported.

    Without --data-dir, configured by KEYTURN_* variables; KEYTURN_DATABASE_URL is required.
    """
    from keyturn.realm_files import ImportOrder, run_import

    _end_with(run_import(ImportOrder(file, realm, if_exists, dry_run, data_dir, as_json, only_problems)))


@app.command()
def export(
    realm: Annotated[str, typer.Argument(help="The realm to export.")],
    file: Annotated[Path, typer.Argument(help="The file to create, with mode 0600.")],
    with_secrets: Annotated[
        bool,
        typer.Option("--with-secrets", help="Write client secrets in clear text instead of masking them."),
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Export from the local stack of this directory.")
    ] = None,
) -> None:
    """Write a realm with its clients as a Keycloak realm export.

    Without --data-dir, configured by KEYTURN_* variables; KEYTURN_DATABASE_URL is required.
    """
    from keyturn.realm_files import run_export

    _end_with(run_export(realm, file, with_secrets=with_secrets, data_dir=data_dir))


@app.command("realm-keys")
def realm_keys(
    realms: Annotated[list[str], typer.Argument(help="The realms that the node serves.")],
) -> None:
    """Print KEYTURN_REALM_KEYS for nodes limited to these realms.

    Reads KEYTURN_FLEET_KEYS and KEYTURN_DATABASE_URL; the service may be running.
    """
    from keyturn.realm_keys import run

    _end_with(run(realms))


add_to(app)
add_to_audit(audit_app)


def _run_service(name: str) -> NoReturn:
    from keyturn.services import run_service

    _end_with(run_service(name))


def _end_with(code: int) -> NoReturn:
    sys.exit(code)


def main() -> None:
    """Run the console script."""
    app()


if __name__ == "__main__":
    main()
