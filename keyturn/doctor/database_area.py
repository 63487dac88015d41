"""The database: whether changes can be committed, and what was sealed under which key. Reads only."""

import shutil
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from keyturn.doctor.database_judgement import (
    judge_disk,
    judge_failure,
    judge_keys,
    judge_postgresql,
    judge_schema,
    judge_speed,
)
from keyturn.doctor.diagnoses import backends
from keyturn.doctor.findings import AreaReport, Finding
from keyturn.doctor.scene import Scene, median_seconds
from keyturn.doctor.sealed_data import fleet_key_ids, keys_in_use
from keyturn_credentials.store.error_causes import Cause, cause_of
from keyturn_credentials.store.errors import DRIVER_FAILURES
from keyturn_credentials.store.migrate import Schema, read_schema
from keyturn_credentials.store.shared_sessions import refuse_shared_sessions
from keyturn_shared.errors import ConfigurationError

_SETTINGS: Final = text(
    "SELECT name, reset_val FROM pg_settings WHERE name IN"
    " ('server_version_num', 'fsync', 'full_page_writes', 'synchronous_commit')"
)
_ONE: Final = text("SELECT 1")
_SHARED: Final = "pool_mode=session"
_MEMORY: Final = ("", ":memory:")


async def check_database(scene: Scene, report: AreaReport) -> None:
    """Check the database of the credentials service."""
    url = make_url(scene.settings.database_url)
    place = f"PostgreSQL at {_host(url)}" if scene.database.is_postgresql else f"SQLite at {url.database}"
    report.summary = place
    try:
        if not scene.database.is_postgresql and not _is_there(url.database, place, report):
            return
        await _look(scene, report)
    except DRIVER_FAILURES as error:
        report.extend([judge_failure(cause_of(error), place=place)])
    except ConfigurationError as error:
        report.extend([_judged(error, place)])


async def _look(scene: Scene, report: AreaReport) -> None:
    await refuse_shared_sessions(scene.database)
    schema = await read_schema(scene.database)
    report.extend(judge_schema(schema))
    seconds = await median_seconds(lambda: scene.database.find(_ONE), scene.clock)
    report.summary += f", {seconds * 1000:.1f} ms"
    report.extend(judge_speed(seconds))
    if scene.database.is_postgresql:
        rows = await scene.database.find(_SETTINGS)
        report.extend(judge_postgresql({row.name: str(row.reset_val) for row in rows}))
    else:
        await _try_write_lock(scene)
    if schema is Schema.CURRENT:
        uses = await keys_in_use(scene.store)
        ring = scene.settings.encryption_ring().key_ids
        report.extend(judge_keys(uses, ring, await fleet_key_ids(scene)))


async def _try_write_lock(scene: Scene) -> None:
    """Take SQLite's write lock, and give it back: a read-only file or a lock of another process shows."""
    async with scene.database.reading() as connection:
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
        await connection.exec_driver_sql("ROLLBACK")


def _is_there(path: str | None, place: str, report: AreaReport) -> bool:
    """Return whether SQLite's file is there; connecting would create it."""
    if path in _MEMORY or path is None or not Path(path).exists():
        report.add(backends.DATABASE_UNREACHABLE, f"{place}: there is no such file")
        return False
    disk = shutil.disk_usage(Path(path).absolute().parent)
    report.extend(judge_disk(disk.free, disk.total, path=path))
    return True


def _judged(error: ConfigurationError, place: str) -> Finding:
    """Return the finding for an error of a check at the start of the credentials service."""
    if _SHARED in error.detail:
        return Finding(backends.DATABASE_POOLER, place)
    origin = error.__cause__
    return judge_failure(
        Cause("configuration", error.detail) if origin is None else cause_of(origin), place=place
    )


def _host(url: URL) -> str:
    """Return the servers of a URL, without user and password."""
    named = url.query.get("host", ())
    hosts = [named] if isinstance(named, str) else list(named)
    if url.host:
        hosts.append(url.host if url.port is None else f"{url.host}:{url.port}")
    return ", ".join(hosts) or "the default address"
