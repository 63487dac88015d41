"""Watch of the local stack's own administrator: its secret, as the stack has it, may stop working."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from pydantic import ValidationError

from keyturn.local.data_directory import DataDirectory
from keyturn.local.secrets_file import StackSecrets, load
from keyturn.local.terminal import Terminal
from keyturn_shared.errors import KeyturnError

if TYPE_CHECKING:
    from keyturn_credentials.administrator_access import Trouble

REALM: Final = "master"
_SECONDS: Final = 30.0


Look = Callable[[DataDirectory], Awaitable["tuple[str, Trouble] | None"]]
"""Returns the id of the stack's administrator, and why its secret does not work; None if it works."""


async def trouble_of_admin(directory: DataDirectory) -> "tuple[str, Trouble] | None":
    """Return the id of the stack's administrator, and why its secret does not work; None if it works, or if
    nobody can tell. It is looked up in the database: a sign-in would count as a use of the secret."""
    # Imported when needed: starting a stack does not need the credentials service's code.
    from keyturn.database_choice import settings_for
    from keyturn_credentials.administrator_access import trouble_of

    try:
        secrets: StackSecrets = load(directory.secrets_file)
        found = await trouble_of(settings_for(directory.path), REALM, secrets.admin_id, secrets.admin_secret)
    except (KeyturnError, ValidationError):
        return None
    return None if found is None else (secrets.admin_id, found)


def described(client_id: str, trouble: "Trouble", secrets_file: Path) -> str:
    """Return what to tell a person about it, with the command that helps."""
    return (
        f"Client {client_id} of realm {REALM} {trouble.text}, so its secret in {secrets_file} does not work."
        f" To get its access back, run keyturn admin recover --data-dir {secrets_file.parent}"
    )


async def watch_admin(
    directory: DataDirectory,
    terminal: Terminal,
    known: "tuple[str, Trouble] | None" = None,
    *,
    look: Look = trouble_of_admin,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> NoReturn:
    """Say so whenever the administrator's secret stops working, and when it works again. ``known``: the
    trouble that was said already."""
    while True:
        await sleep(_SECONDS)
        found = await look(directory)
        if found == known:
            continue
        if found is None:
            terminal.say("The first administrator's secret works again.")
        else:
            terminal.trouble(described(*found, directory.secrets_file))
        known = found
