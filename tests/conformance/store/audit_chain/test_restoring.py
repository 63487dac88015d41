"""A restored database has the chain of its audit log up to the backup, and continues it."""

from pathlib import Path

import pytest

from keyturn_credentials.backup.restoring import restore_backup
from keyturn_credentials.backup.taking import take_backup
from keyturn_credentials.store.database import Database
from keyturn_shared.clock import SystemClock
from tests.conformance.store.audit_chain.conftest import Service


@pytest.fixture
def other_url(service: Service, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of the other kind."""
    if service.database.is_postgresql:
        return f"sqlite+aiosqlite:///{tmp_path}/other.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


async def test_what_came_after_the_backup_is_missed_against_a_kept_head_alone(
    service: Service, other_url: str, tmp_path: Path
) -> None:
    clock, file = SystemClock(), tmp_path / "keyturn.backup"
    service.clock.time = clock.now()
    await service.make("master", "acme")
    await service.note("before the backup")
    await service.chained()
    before = await service.head()
    await take_backup(service.settings, file, release="1.2.3", clock=clock)
    await service.note("after the backup")
    await service.chained()
    after = await service.head()
    target = service.settings.model_copy(update={"database_url": other_url})
    await restore_backup(target, file, clock=clock)
    database = Database(other_url, pool_size=2)
    restored = Service(target, database, service.clock)
    try:
        report = await restored.report(before)
        assert report.is_good
        assert len(report.restored) == 1
        assert await restored.problems(after) == {"cut_off"}
        await restored.note("goes on")
        await restored.chained()
        assert await restored.problems(before) == set()
        assert await restored.problems(after) == {"rewritten"}
    finally:
        await database.close()
