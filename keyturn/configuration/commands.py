"""The commands of ``keyturn config``."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer(help="Check the settings of a program.", no_args_is_help=True)


class Program(StrEnum):
    """The programs that have settings."""

    CREDENTIALS = "credentials"
    VERIFIER = "verifier"
    FETCHER = "fetcher"
    AGENT = "agent"


@app.callback()
def config() -> None:
    """Check the settings of a program."""


@app.command()
def check(
    program: Annotated[Program, typer.Argument(help="The program whose settings are checked.")],
    file: Annotated[
        Path | None, typer.Argument(help="The agent's TOML file; the others have no file.")
    ] = None,
    unwrap: Annotated[
        bool,
        typer.Option("--unwrap", help="Also unwrap wrapped keys, in the device that KEYTURN_PKCS11_* name."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the settings that a program would start with, and the files that they name. It is not started.

    It reads the KEYTURN_* variables of the environment, and connects to nothing; only --unwrap uses the
    device of wrapped keys, and gives it the PIN. Exits with 2 if anything is wrong.
    """
    from keyturn.configuration.check import run_check

    sys.exit(run_check(program.value, file, as_json=as_json, unwrap=unwrap))
