"""All processes that speak HTTP, started once for all tests of them."""

from collections.abc import Iterator

import pytest

from tests.testkit.http_edges import Edge, running_edges


@pytest.fixture(scope="package")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Edge]]:
    with running_edges(tmp_path_factory.mktemp("edges")) as running:
        yield running
