"""``keyturn migrate plan`` and ``apply``: one import, rehearsed or performed."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyturn.database_choice import settings_for
from keyturn.import_progress import collector_at_rest, shown_progress
from keyturn.migrate.outcomes import describe, is_complete, lines
from keyturn.migrate.source import SourceOptions, read_source
from keyturn.services import run_configured
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.realm_transfer import import_documents

INCOMPLETE: Final = 1
"""Exit code of a plan or a migration in which clients were refused."""


@dataclass(frozen=True, slots=True)
class MovingOrder:
    """Options of both commands. ``to_realm``: another name for the realm; ``data_dir``: a local stack's
    directory, or None for the environment's database."""

    source: SourceOptions
    to_realm: str | None
    if_exists: str
    data_dir: Path | None
    as_json: bool
    only_problems: bool


def run_plan(order: MovingOrder) -> int:
    """Print what ``run_apply`` would do. Return the exit code."""
    return _run(order, dry_run=True)


def run_apply(order: MovingOrder) -> int:
    """Move the realms, or continue a move that was interrupted. Return the exit code."""
    return _run(order, dry_run=False)


def _run(order: MovingOrder, *, dry_run: bool) -> int:
    code = 0

    def work() -> None:
        nonlocal code
        if_exists = _if_exists(order.if_exists)
        settings = settings_for(order.data_dir)
        source = read_source(order.source)
        if order.to_realm is not None and len(source.documents) > 1:
            raise InvalidRequestError(
                f"{source.name} has {len(source.documents)} realms: choose one with --realm"
            )
        with shown_progress() as progress, collector_at_rest():
            reports = asyncio.run(
                import_documents(
                    settings,
                    source.documents,
                    realm=order.to_realm,
                    if_exists=if_exists,
                    dry_run=dry_run,
                    keep_unfinished=True,
                    progress=progress,
                )
            )
        if order.as_json:
            described = {**source.described(), "realms": describe(reports, only_problems=order.only_problems)}
            sys.stdout.write(json.dumps(described, indent=2) + "\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in lines(reports, only_problems=order.only_problems))
        code = 0 if is_complete(reports) else INCOMPLETE

    return run_configured(work) or code


def _if_exists(name: str) -> IfExists:
    try:
        return IfExists(name.upper())
    except ValueError:
        raise InvalidRequestError(f"--if-exists must be one of {', '.join(IfExists)}") from None
