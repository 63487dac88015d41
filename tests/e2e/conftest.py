"""One running stack for all tests that only use it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.testkit.local_stack import Admin, RunningStack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with RunningStack(tmp_path_factory.mktemp("e2e") / "shared").start() as running:
        yield running


@pytest.fixture(scope="package")
def admin(stack: RunningStack) -> Admin:
    made = Admin(stack, "e2e")
    made.make_realm()
    return made


@pytest.fixture
def make_stack(data: Path) -> Iterator[Callable[..., RunningStack]]:
    """Stacks on the data directory, which end with the test: ``make_stack(*options, **settings)``."""
    with ExitStack() as made:
        yield lambda *options, **settings: made.enter_context(RunningStack(data, *options, **settings))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"
