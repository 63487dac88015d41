import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.credentials.operations.scene import Scene, empty_database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with this build's schema and nothing else, to be copied."""
    return empty_database(tmp_path_factory.mktemp("migrated") / "keyturn.db")


@pytest.fixture
def path(tmp_path: Path, migrated: Path) -> Path:
    """The test's own database."""
    return Path(shutil.copy(migrated, tmp_path))


@pytest.fixture
async def scene(path: Path) -> AsyncIterator[Scene]:
    scene = Scene(path)
    await scene.found()
    yield scene
    await scene.database.close()
