"""The commands ``keyturn audit verify`` and ``keyturn audit accept``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

_DataDir = Annotated[Path | None, typer.Option(help="Use the database of the local stack of this directory.")]


def verify(
    head: Annotated[
        str | None,
        typer.Option(help="A head that was printed earlier and kept elsewhere: the log must continue it."),
    ] = None,
    data_dir: _DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check that nobody has changed, inserted, moved or removed entries of the audit log.

    It reads the database; the service may be running. The last line is the head: keep it elsewhere. Exit code
    0: all is well; 1: something is wrong, or could not be compared; 2: it could not be checked. Without
    --data-dir, configured by the KEYTURN_* variables of the credentials service; KEYTURN_DATABASE_URL is
    required.
    """
    from keyturn.extras import needing

    with needing("credentials"):
        from keyturn.audit_chain.running import VerifyOrder, run_verify

    sys.exit(run_verify(VerifyOrder(head, data_dir, as_json)))


def accept(
    reason: Annotated[str, typer.Option(help="The reason, for the audit log.")],
    data_dir: _DataDir = None,
) -> None:
    """Accept the audit log as it is now, after a finding was explained: its chain begins anew.

    It writes to the database; the service may be running, and adds all entries to the new chain. Heads that
    were kept earlier cannot be compared any more. Without --data-dir, configured as keyturn audit verify.
    """
    from keyturn.extras import needing

    with needing("credentials"):
        from keyturn.audit_chain.running import run_accept

    sys.exit(run_accept(reason, data_dir))


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``keyturn audit``."""
    for command in (verify, accept):
        app.command()(command)
