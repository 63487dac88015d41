"""Distribution of tests to several processes: which stay together, and which start first.

A package or module fixture is started in every process with a test of it, and ends after the last one there.
So the tests of a file stay together, and those of a directory that shares a running deployment: one that
nobody uses any more would take the processor from the others. Files of long tests that share nothing are
distributed test by test. The longest tests start first, so that no process works alone at the end.
pytest-xdist has a mark for groups, which does nothing with the pinned pytest.
"""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

LONG: Final = (
    "tests/integration/kubernetes/",  # builds Helm
    "tests/integration/http_edges/attacks/",
    "tests/browser/",
    "tests/integration/revocation/test_revocation_matrix.py",
    "tests/e2e/",
    "tests/durability/",
    "tests/engines/",
    "tests/storm/",
    "tests/simulation/",
    "tests/fuzz_http/",
    "tests/integration/gateways/",
    "tests/integration/http_edges/",
    "tests/integration/testkit/",
    "tests/integration/keystores/",
    "tests/fuzz_admin/",
    "tests/integration/engines/",
    "tests/integration/relay/",
    "tests/integration/database/",
    "tests/integration/key_sets/",
    "tests/integration/",
    "tests/fuzz/",
    "tests/secrecy/",
    "tests/conformance/",
)
"""The longest first; others come after all of these."""
TOGETHER: Final = {
    "tests/browser/": "browser",
    "tests/integration/http_edges/attacks/": "http edges",
    "tests/integration/http_edges/real_clients/": "http edges",
    "tests/integration/http_edges/differential/test_processes.py": "http edges",
    "tests/integration/http_edges/test_limits.py": "http edges",
    "tests/integration/keystores/test_keytool": "keytool",
    "tests/e2e/test_a_compromised_key.py": "stack in use",
    "tests/e2e/test_a_stack_that_is_killed.py": "stack in use",
    "tests/e2e/test_administrators.py": "stack in use",
    "tests/e2e/test_agent": "stack in use",
    "tests/e2e/test_clients_of_every_kind.py": "stack in use",
    "tests/e2e/test_first_rotation.py": "stack in use",
    "tests/e2e/test_readme.py": "stack in use",
    "tests/e2e/test_refusals.py::test_a_second_stack": "stack in use",
    "tests/e2e/test_rotation": "stack in use",
    "tests/e2e/test_self_service.py": "stack in use",
    "tests/e2e/test_start_and_stop.py::test_local_json": "stack in use",
    "tests/e2e/test_tutorial.py": "stack in use",
    "tests/e2e/test_workload_identity.py": "stack in use",
}
EACH_BY_ITSELF: Final = (
    "tests/simulation/",
    "tests/durability/",
    "tests/engines/",
    "tests/storm/test_storm.py",
    "tests/e2e/",
    "tests/integration/gateways/test_ready_files.py",
    "tests/integration/http_edges/differential/",
    "tests/integration/testkit/test_nothing_is_left_running.py",
)


def unit_of(nodeid: str) -> str:
    """Return the name of the tests that run in one process, one after the other."""
    for path, name in TOGETHER.items():
        if nodeid.startswith(path):
            return name
    return nodeid if nodeid.startswith(EACH_BY_ITSELF) else nodeid.partition("::")[0]


def place_of(nodeid: str) -> int:
    """Return the place; higher is later."""
    return next((place for place, path in enumerate(LONG) if nodeid.startswith(path)), len(LONG))


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """Deals out units to processes in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the unit; xdist's own schedulers differ in this method."""
        return unit_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    config.option.loadscopereorder = False  # by the number of tests, which says nothing about their duration
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place_of(item.nodeid))
