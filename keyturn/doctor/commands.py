"""``keyturn doctor``."""

from pathlib import Path
from typing import Annotated

import typer

from keyturn.doctor.findings import Area


def doctor(
    data_dir: Annotated[Path | None, typer.Option(help="Check the local stack of this directory.")] = None,
    only: Annotated[
        list[Area] | None, typer.Option("--only", help="Check only this area; can be given several times.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, max=300, help="Time limit of each check in seconds.")
    ] = 10.0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check an installation, say what is wrong and what to do, and change nothing.

    Without --data-dir, configured by the KEYTURN_* variables of the credentials service. Exits with 0 if all
    is well, 1 if a problem was found, 2 if nothing could be checked.
    """
    from keyturn.doctor.running import Order, run

    raise typer.Exit(run(Order(data_dir, frozenset(only or Area), timeout, strict, as_json)))
