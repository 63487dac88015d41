"""One running stack for all tests that only use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Admin, RunningStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = RunningStack(tmp_path_factory.mktemp("e2e") / "shared").start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def admin(stack: RunningStack) -> Admin:
    made = Admin(stack, "e2e")
    made.make_realm()
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that is not there yet."""
    return tmp_path / "data"
