"""``keyturn backup`` and ``keyturn restore``: what they do, and what they say."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from keyturn import __version__
from keyturn.backups.text import as_document, backup_lines, check_lines, loss, restore_lines
from keyturn.database_choice import settings_for
from keyturn.services import run_configured
from keyturn_credentials.backup.checking import check_backup, open_backup
from keyturn_credentials.backup.restoring import DatabaseNotEmptyError, restore_backup
from keyturn_credentials.backup.taking import take_backup
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class BackupOrder:
    """Options of ``keyturn backup``. ``data_dir``: a local stack's directory, or None for the environment's
    database."""

    file: Path
    check: bool
    force: bool
    data_dir: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """Options of ``keyturn restore``. ``data_dir`` as above."""

    file: Path
    replace: bool
    force: bool
    data_dir: Path | None


def run_backup(order: BackupOrder) -> int:
    """Make a backup, or check one, and describe it. Return the exit code."""

    def work() -> None:
        settings = settings_for(order.data_dir)
        if order.check:
            with open_backup(order.file) as stream:
                checked = check_backup(settings, stream)
            description, lines = checked.description, check_lines(order.file, checked)
        else:
            taken = take_backup(
                settings, order.file, release=__version__, clock=SystemClock(), replace=order.force
            )
            description = asyncio.run(taken)
            lines = backup_lines(order.file, description)
        if order.as_json:
            sys.stdout.write(json.dumps(as_document(description), indent=2) + "\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in lines)

    return run_configured(work)


def run_restore(order: RestoreOrder) -> int:
    """Restore a backup, and say what it replaced. Return the exit code."""

    def work() -> None:
        settings = settings_for(order.data_dir)
        restoring = restore_backup(
            settings, order.file, clock=SystemClock(), replace=order.replace, force=order.force
        )
        try:
            restored = asyncio.run(restoring)
        except DatabaseNotEmptyError as error:
            raise ConfigurationError(
                f"the database is not empty: {loss(error.present)}. Use --replace to lose them"
            ) from error
        sys.stdout.writelines(f"{line}\n" for line in restore_lines(restored))

    return run_configured(work)
