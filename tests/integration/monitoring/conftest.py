"""One stack with every kind of process, after traffic."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.integration.monitoring.rare_series import rare_pages
from tests.integration.monitoring.served_pages import (
    Served,
    make_traffic,
    start_others,
    start_stack,
)
from tests.testkit.processes import Processes


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """All that the processes serve: what this traffic brings about, and series of rare faults."""
    found = Served()
    for pages in (_pages(tmp_path_factory.mktemp("monitoring")), asyncio.run(rare_pages())):
        for process, page in pages.items():
            found.read(process, page)
    return found


def _pages(directory: Path) -> dict[str, str]:
    """Return the page of each kind of process."""
    processes = Processes(directory)
    try:
        with start_stack(directory / "stack") as stack:
            others = start_others(stack, processes)
            own_url = stack.credentials_url
            make_traffic(stack, own_url)
            urls = {"credentials": own_url, "verifier": stack.node_urls[0], **others}
            return {
                process: httpx.get(f"{url}/metrics", trust_env=False).text for process, url in urls.items()
            }
    finally:
        processes.end_all()
