"""``keyturn import`` and ``keyturn export``: realm exports to and from files, beside a running service."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from keyturn.services import run_configured
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.migration import import_export, write_export
from keyturn_credentials.operations.importing import IfExists
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError


def run_import(file: Path, realm: str | None, if_exists: str, *, dry_run: bool) -> int:
    """Take an export over and print the report as JSON; the exit code."""

    def work() -> None:
        settings = CredentialsSettings()  # type: ignore[call-arg]  # read from the environment
        report = asyncio.run(
            import_export(settings, file, realm=realm, if_exists=_if_exists(if_exists), dry_run=dry_run)
        )
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        sys.stderr.write(_summary(report))

    return run_configured(work)


def run_export(realm: str, file: Path, *, with_secrets: bool) -> int:
    """Write a realm to a new file that only its owner can read; the exit code. What is not finished is
    removed."""

    async def write(settings: CredentialsSettings, descriptor: int) -> None:
        with os.fdopen(descriptor, "wb") as stream:
            async for piece in write_export(settings, realm, with_secrets=with_secrets):
                await asyncio.to_thread(stream.write, piece)

    def work() -> None:
        settings = CredentialsSettings()  # type: ignore[call-arg]  # read from the environment
        descriptor = _new_file(file)
        try:
            asyncio.run(write(settings, descriptor))
        except BaseException:  # also on Ctrl-C: half an export must not pass for one
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
        raise InvalidRequestError(f"--if-exists is one of {', '.join(IfExists)}") from None


def _summary(report: dict[str, Any]) -> str:
    counts = ", ".join(f"{report[name]} {name}" for name in ("added", "overwritten", "skipped", "refused"))
    return f"{'Dry run: ' if report['dryRun'] else ''}{counts}\n"
