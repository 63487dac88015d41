"""One-time links that sign the first admin of a local stack in to the console."""

import asyncio
import sys
from pathlib import Path
from urllib.parse import quote

from keyturn.administrators.admin_watch import described, trouble_of_admin
from keyturn.local import local_file
from keyturn.local.data_directory import DataDirectory
from keyturn.local.errors import StackError
from keyturn.local.local_file import LocalStack
from keyturn.local.secrets_file import load
from keyturn.refusing import refuse
from keyturn_credentials.console.sessions import SessionSealer
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret


def make_link(local: LocalStack, encryption_keys: Secret, clock: Clock, *, realm: str | None = None) -> str:
    """Make a link that works once, within the next minutes. The part after the # stays in the browser, out of
    every server and log. ``realm``: the one to open; by default, the admin's."""
    ring = KeyRing.from_text(encryption_keys.reveal(), purpose="encryption")
    ticket = SessionSealer(ring, clock).issue_ticket(local.admin.realm, local.admin.client_id)
    page = "" if realm is None else f"{quote(realm, safe='')}/clients"
    return f"{local.base_url}/console/{page}#ticket={ticket}"


def run(data_dir: Path, realm: str | None) -> int:
    """Print a new link. Return the exit code. A refusal is one line on standard error."""
    directory = DataDirectory(data_dir)
    try:
        local = local_file.read(directory.local_file)
        if local is None:
            raise StackError(f"no stack is running in {directory.path}: start one with keyturn up")
        trouble = asyncio.run(trouble_of_admin(directory))
        if trouble is not None and trouble[1].by_any_means:
            raise StackError(described(*trouble, directory.secrets_file))
        link = make_link(local, load(directory.secrets_file).encryption_keys, SystemClock(), realm=realm)
    except KeyturnError as error:
        return refuse(error.detail)
    sys.stdout.write(f"{link}\n")
    return 0
