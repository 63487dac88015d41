from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.admin_api import AdminApi, running, settings_for


@pytest.fixture
async def api(tmp_path: Path, redis_url: str) -> AsyncIterator[AdminApi]:
    """The service on an empty SQLite database."""
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    async with running(settings) as started:
        yield started
