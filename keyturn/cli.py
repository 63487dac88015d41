"""The ``keyturn`` command. Each command imports what it needs when it runs, so that --help is quick."""

import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from keyturn import __version__
from keyturn.jwks.commands import app as jwks_app

app: Final = typer.Typer(
    name="keyturn",
    help="Confidential client credentials: a system of record and a fleet of verifiers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes longer to import than everything else --help does
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(jwks_app, name="jwks")


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
    nodes: Annotated[int, typer.Option(min=1, max=32, help="Verifier nodes to run.")] = 2,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the base URL, on 127.0.0.1.")] = 8080,
    data_dir: Annotated[Path, typer.Option(help="Where the stack keeps everything.")] = Path(".keyturn"),
    demo: Annotated[bool, typer.Option(help="Show the whole way of a key once the stack is ready.")] = False,
    redis_url: Annotated[str | None, typer.Option(help="Use this Redis instead of an embedded one.")] = None,
    database_url: Annotated[str | None, typer.Option(help="Use this database instead of SQLite.")] = None,
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
def verifier() -> None:
    """Run one verifier node, configured by KEYTURN_* variables."""
    _run_service("verifier")


@app.command()
def fetcher() -> None:
    """Run a fetcher of clients' JWKS URLs, configured by KEYTURN_* variables."""
    _run_service("fetcher")


@app.command()
def console(
    data_dir: Annotated[Path, typer.Option(help="Where the stack keeps everything.")] = Path(".keyturn"),
) -> None:
    """Print a link that signs in to the console of a running local stack, once."""
    from keyturn.console_link import run

    _end_with(run(data_dir))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A Keycloak realm export, or one of keyturn's.")],
    realm: Annotated[str | None, typer.Option(help="Into this realm instead of the export's own.")] = None,
    if_exists: Annotated[
        str, typer.Option(help="What to do with a client that is there: FAIL, SKIP or OVERWRITE.")
    ] = "FAIL",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and write nothing.")] = False,
) -> None:
    """Take over a realm export's clients, and report what could not be. Configured by KEYTURN_* variables."""
    from keyturn.realm_files import run_import

    _end_with(run_import(file, realm, if_exists, dry_run=dry_run))


@app.command()
def export(
    realm: Annotated[str, typer.Argument(help="The realm to write.")],
    file: Annotated[Path, typer.Argument(help="A new file, made with mode 0600.")],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Write client secrets in clear instead of a mask.")
    ] = False,
) -> None:
    """Write a realm with its clients as a Keycloak realm export. Configured by KEYTURN_* variables."""
    from keyturn.realm_files import run_export

    _end_with(run_export(realm, file, with_secrets=with_secrets))


def _run_service(name: str) -> NoReturn:
    from keyturn.services import run_service

    _end_with(run_service(name))


def _end_with(code: int) -> NoReturn:
    sys.exit(code)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
