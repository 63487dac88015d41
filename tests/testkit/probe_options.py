"""The options of ``keyturn probe``, for files that configure it from outside."""

from collections.abc import Iterable
from typing import Any

import typer

from keyturn.cli import app


def probe_parameters(words: Iterable[str]) -> dict[str, Any]:
    """Return the parameters that the command reads from its name and arguments, by name. Raises
    click.UsageError."""
    name, *arguments = words
    assert name == "probe"
    group: Any = typer.main.get_command(app)
    parameters: dict[str, Any] = group.commands["probe"].make_context("probe", arguments).params
    return parameters
