"""``keyturn completion``."""

import os
from enum import StrEnum
from typing import Annotated, Final

import typer

_VARIABLE: Final = "_KEYTURN_COMPLETE"
"""By this variable, a shell asks the program for its script."""


class Shell(StrEnum):
    """A shell for which there is a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(help="The shell that the script is for.")],
) -> None:
    """Print the script that completes keyturn's commands and options in a shell.

    For bash: keyturn completion bash > ~/.local/share/bash-completion/completions/keyturn
    """
    os.environ[_VARIABLE] = f"source_{shell.value}"
    try:
        context.find_root().command.main(args=[], prog_name="keyturn")
    finally:
        del os.environ[_VARIABLE]
