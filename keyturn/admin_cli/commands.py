"""The list of commands for administrators."""

import typer

from keyturn.admin_cli import clients, secrets
from keyturn.admin_cli.completion import completion
from keyturn.admin_cli.login import login, logout
from keyturn.admin_cli.realms import realms


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``keyturn``."""
    for command in (login, logout, realms):
        app.command()(command)
    app.add_typer(clients.app, name="clients")
    app.add_typer(secrets.app, name="secrets")
    app.command()(completion)
