"""The list of commands for administrators."""

import typer

from keyturn.admin_cli import cache, clients, keys, policy, rotations, secrets
from keyturn.admin_cli.audit import app as audit_app
from keyturn.admin_cli.completion import completion
from keyturn.admin_cli.events import events
from keyturn.admin_cli.fleet import fleet
from keyturn.admin_cli.login import login, logout
from keyturn.admin_cli.notices import notices
from keyturn.admin_cli.realms import realms
from keyturn.admin_cli.rotate import rotate


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``keyturn``."""
    for command in (login, logout, realms, rotate, notices, fleet, events, completion):
        app.command()(command)
    app.add_typer(audit_app, name="audit")
    for group in (clients, secrets, keys, rotations, policy, cache):
        app.add_typer(group.app, name=group.__name__.rpartition(".")[2])
