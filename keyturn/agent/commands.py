"""``keyturn agent``."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def agent(
    config: Annotated[Path, typer.Argument(help="TOML file: see docs/agent.md.")],
    manifest: Annotated[
        bool,
        typer.Option(
            "--manifest", help="Print the Secrets of [[kubernetes]], with the secret in use, and run nothing."
        ),
    ] = False,
) -> None:
    """Run beside a program: hold its client's secret, take new ones, hand out access tokens."""
    from keyturn.agent.printing import print_manifests
    from keyturn.agent.process import run
    from keyturn.refusing import refuse
    from keyturn_shared.errors import KeyturnError

    try:
        if manifest:
            print_manifests(config)
        else:
            run(config)
    except KeyturnError as error:
        sys.exit(refuse(error.detail))
