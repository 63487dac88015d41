"""The commands of ``keyturn admin``."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer(help="Recover the access of administrators.", no_args_is_help=True)


@app.callback()
def admin() -> None:
    """Recover the access of administrators."""


@app.command()
def recover(
    client_id: Annotated[
        str | None,
        typer.Option(
            help="The client of realm master to make, or to reset. Defaults to the first administrator's:"
            " KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID, or that of the local stack."
        ),
    ] = None,
    secret_to: Annotated[
        Path | None, typer.Option(help="Write the new secret to this file, with mode 0600.")
    ] = None,
    print_secret: Annotated[
        bool,
        typer.Option("--print-secret", help="Print the new secret alone on standard output."),
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Recover an administrator of the local stack of this directory.")
    ] = None,
) -> None:
    """Make an administrator, or give one that is locked out its access back with a new secret.

    It writes to the database; the service may be running. The client's former secret and its tokens end.
    Without --data-dir, configured by the KEYTURN_* variables of the credentials service;
    KEYTURN_DATABASE_URL is required. With --data-dir, the new secret of the stack's own administrator is
    kept where the former one was.
    """
    from keyturn.administrators.recovery import RecoveryOrder, run_recovery

    sys.exit(run_recovery(RecoveryOrder(client_id, secret_to, print_secret, data_dir)))
