"""One scene for all tests that leave it as it was."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.integration.probe.scene import Scene, start_scene
from tests.testkit.credentials_instances import Surroundings


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A credentials service with one node."""
    surroundings = Surroundings(tmp_path_factory.mktemp("services"), "sqlite", 1)
    try:
        yield asyncio.run(start_scene(surroundings, tmp_path_factory.mktemp("prober")))
    finally:
        surroundings.close()


@pytest.fixture
def own_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The same for one test, which may break it."""
    surroundings = Surroundings(tmp_path_factory.mktemp("services"), "sqlite", 1)
    try:
        yield asyncio.run(start_scene(surroundings, tmp_path_factory.mktemp("prober")))
    finally:
        surroundings.close()
