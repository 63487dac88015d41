"""``keyturn admin recover``: an administrator with a new secret, which goes only where it was asked to."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from keyturn.database_choice import settings_for
from keyturn.local import local_file
from keyturn.local.data_directory import DataDirectory
from keyturn.local.secrets_file import load, replace_admin_secret
from keyturn.services import run_configured
from keyturn_credentials.administrator_access import recover_administrator
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.domain.secrets import generate_secret
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.private_files import write_private
from keyturn_shared.secret import Secret


@dataclass(frozen=True, slots=True)
class RecoveryOrder:
    """Options of ``keyturn admin recover``. ``client_id``: None for the first administrator."""

    client_id: str | None
    secret_to: Path | None
    print_secret: bool
    data_dir: Path | None


def run_recovery(order: RecoveryOrder) -> int:
    """Recover an administrator, and say where its new secret is. Return the exit code."""

    def work() -> None:
        settings = settings_for(order.data_dir)
        client_id = order.client_id or settings.bootstrap_admin_client_id
        keep = _keeper(order, client_id)
        secret = generate_secret()
        sequence, is_new = asyncio.run(recover_administrator(settings, client_id, secret))
        done = "is a new administrator" if is_new else "is an administrator with a new secret"
        sys.stderr.write(f"Client {client_id} of realm {MASTER} {done} (change {sequence})\n")
        for place in keep(secret):
            sys.stderr.write(f"Its secret is in {place}\n")
        if order.print_secret:
            sys.stdout.write(f"{secret.reveal()}\n")

    return run_configured(work)


def _keeper(order: RecoveryOrder, client_id: str) -> Callable[[Secret], list[Path]]:
    """Return a function that stores the secret, and returns where. Raises ConfigurationError if that is
    impossible, before anything is changed."""
    stack = None if order.data_dir is None else DataDirectory(order.data_dir)
    is_of_stack = stack is not None and load(stack.secrets_file).admin_id == client_id
    if order.secret_to is None and not order.print_secret and not is_of_stack:
        raise ConfigurationError("nothing would keep the new secret: use --secret-to FILE or --print-secret")
    if order.secret_to is not None:
        _require_writable(order.secret_to)

    def keep(secret: Secret) -> list[Path]:
        places = []
        if stack is not None and is_of_stack:
            replace_admin_secret(stack.secrets_file, secret)
            _follow(stack, secret)
            places.append(stack.secrets_file)
        if order.secret_to is not None:
            write_private(order.secret_to, secret.reveal())
            places.append(order.secret_to)
        return places

    return keep


def _follow(stack: DataDirectory, secret: Secret) -> None:
    """Give the file of a running stack the secret too."""
    running = local_file.read(stack.local_file)
    if running is not None:
        admin = replace(running.admin, client_secret=secret.reveal())
        replace(running, admin=admin).write(stack.local_file)


def _require_writable(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ConfigurationError(f"{path} is not a regular file")
    probe = path.with_name(f".{path.name}.{os.getpid()}.probe")
    try:
        write_private(probe, "")
        probe.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be written: {getattr(error, 'strerror', error)}") from error
