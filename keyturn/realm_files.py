"""``keyturn import`` and ``keyturn export``: realm exports as files, with or without a running service."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keyturn.database_choice import settings_for
from keyturn.import_progress import collector_at_rest, shown_progress
from keyturn.import_text import is_problem, lines, summary
from keyturn.services import run_configured
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import ImportReport, describe_report
from keyturn_credentials.realm_transfer import import_export, write_export
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """Options of ``keyturn import``. ``data_dir``: a local stack's directory, or None for the environment's
    database."""

    file: Path
    realm: str | None
    if_exists: str
    dry_run: bool
    data_dir: Path | None
    as_json: bool
    only_problems: bool


def run_import(order: ImportOrder) -> int:
    """Import an export and print the outcome. Return the exit code."""

    def work() -> None:
        if_exists = _if_exists(order.if_exists)
        with shown_progress() as progress, collector_at_rest():
            reports = asyncio.run(
                import_export(
                    settings_for(order.data_dir),
                    order.file,
                    realm=order.realm,
                    if_exists=if_exists,
                    dry_run=order.dry_run,
                    progress=progress,
                )
            )
        if order.as_json:
            sys.stderr.writelines(f"{summary(report)}\n" for report in reports)
            sys.stdout.write(json.dumps(_described(reports, order.only_problems), indent=2) + "\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in lines(reports, only_problems=order.only_problems))

    return run_configured(work)


def _described(reports: list[ImportReport], only_problems: bool) -> dict[str, Any]:
    """Return a realm's report, or an object with the reports of several realms."""
    if only_problems:
        reports = [replace(each, clients=tuple(filter(is_problem, each.clients))) for each in reports]
    described = [describe_report(report) for report in reports]
    return described[0] if len(described) == 1 else {"realms": described}


def run_export(realm: str, file: Path, *, with_secrets: bool, data_dir: Path | None = None) -> int:
    """Write a realm to a new file that only its owner can read. Return the exit code. An unfinished file is
    removed."""

    async def write(settings: CredentialsSettings, descriptor: int) -> None:
        with os.fdopen(descriptor, "wb") as stream:
            async for piece in write_export(settings, realm, with_secrets=with_secrets):
                await asyncio.to_thread(stream.write, piece)

    def work() -> None:
        settings = settings_for(data_dir)
        descriptor = _new_file(file)
        try:
            asyncio.run(write(settings, descriptor))
        except BaseException:  # also on Ctrl-C, so that no one uses half an export
            with suppress(FileNotFoundError):
                file.unlink()
            raise

    return run_configured(work)


def _new_file(file: Path) -> int:
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error


def _if_exists(name: str) -> IfExists:
    try:
        return IfExists(name.upper())
    except ValueError:
        raise InvalidRequestError(f"--if-exists must be one of {', '.join(IfExists)}") from None
