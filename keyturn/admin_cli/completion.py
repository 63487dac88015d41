"""``keyturn completion``."""

import os
from enum import StrEnum
from typing import Annotated

import typer


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
    # The variable by which a shell asks the program for its script.
    os.environ["_KEYTURN_COMPLETE"] = f"source_{shell.value}"
    context.find_root().command.main(args=[], prog_name="keyturn")
