"""A stack of one node with an identity provider. It replaces the other tests' stack."""

from collections.abc import Iterator

import pytest

from tests.browser.persons.provider import PersonProvider
from tests.testkit.console_realm import Scene
from tests.testkit.local_stack import RunningStack
from tests.testkit.processes import Processes
from tests.testkit.threaded_key_server import KeyServer


@pytest.fixture(scope="package")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PersonProvider]:
    processes = Processes(tmp_path_factory.mktemp("provider"))
    yield PersonProvider(processes)
    processes.end_all()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, provider: PersonProvider) -> Iterator[RunningStack]:
    data = tmp_path_factory.mktemp("persons") / "data"
    with RunningStack(data, nodes=1, **provider.settings()).start() as running:
        provider.start(running.base_url)
        yield running


@pytest.fixture(scope="package")
def scene(stack: RunningStack) -> Iterator[Scene]:
    with KeyServer() as keys:
        made = Scene(stack, keys)
        made.admin.make_realm()
        yield made
