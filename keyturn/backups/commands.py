"""The commands ``keyturn backup`` and ``keyturn restore``."""

from pathlib import Path
from typing import Annotated

import typer


def backup(
    file: Annotated[Path, typer.Argument(help="The file to create, with mode 0600, or to check.")],
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Check that a backup is whole and could be restored with these settings."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Back up the local stack of this directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the description as JSON.")] = False,
) -> None:
    """Back up the database while the service runs.

    The file can be restored into either kind of database. Secrets and private keys in it stay sealed under
    the encryption keys, which are not in it. Without --data-dir, configured by the KEYTURN_* variables of the
    credentials service; KEYTURN_DATABASE_URL is required.
    """
    from keyturn.backups.running import BackupOrder, run_backup

    raise typer.Exit(run_backup(BackupOrder(file, check, force, data_dir, as_json)))


def restore(
    file: Annotated[Path, typer.Argument(help="A file that keyturn backup has made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace everything that the database has.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Restore although fleet keys are missing: secrets stored as digests under them are refused.",
        ),
    ] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Restore the local stack of this directory.")] = None,
) -> None:
    """Restore a backup into the database: all of it, or nothing.

    No credentials process may be running; nodes and Redis may. An earlier release's backup is upgraded.
    Without --data-dir, configured by the KEYTURN_* variables of the credentials service; KEYTURN_DATABASE_URL
    is required.
    """
    from keyturn.backups.running import RestoreOrder, run_restore

    raise typer.Exit(run_restore(RestoreOrder(file, replace, force, data_dir)))
